import { GatehouseError } from '#domain/error.ts';
import { freePort, probePort } from './processes.ts';
import { type Ports, rememberedPorts, type ServiceName } from './state.ts';

const VARIABLES: Readonly<Record<ServiceName, string>> = {
  emulator: 'GATEHOUSE_PORT',
  sagemaker: 'GATEHOUSE_SAGEMAKER_PORT',
  cloudwatch: 'GATEHOUSE_CLOUDWATCH_PORT',
};

/** The ports of a start: those that are fixed, else those of the last start, else free ones. */
export async function choosePorts(home: string, wanted: Partial<Ports> = {}): Promise<Ports> {
  const remembered = rememberedPorts(home);
  const choose = (name: ServiceName): Promise<number> => choosePort(VARIABLES[name], wanted[name], remembered?.[name]);
  return {
    emulator: await choose('emulator'),
    sagemaker: await choose('sagemaker'),
    cloudwatch: await choose('cloudwatch'),
  };
}

/** Three ports on which nothing listens. */
export async function freePorts(): Promise<Ports> {
  const [emulator, sagemaker, cloudwatch] = [await freePort(), await freePort(), await freePort()];
  const found = new Set([emulator, sagemaker, cloudwatch]);
  if (emulator === undefined || sagemaker === undefined || cloudwatch === undefined || found.size < 3)
    throw new GatehouseError('LOCAL_PORT_UNUSABLE', 'no port of 127.0.0.1 can be listened on');
  return { emulator, sagemaker, cloudwatch };
}

async function choosePort(
  variable: string,
  wanted: number | undefined,
  remembered: number | undefined,
): Promise<number> {
  const named = process.env[variable];
  const fixed = wanted ?? (named === undefined ? undefined : Number(named));
  if (fixed !== undefined) {
    if (Number.isInteger(fixed) && fixed > 0 && fixed < 65_536 && (await probePort(fixed)) !== undefined) return fixed;
    throw new GatehouseError(
      'LOCAL_PORT_UNUSABLE',
      `port ${named ?? fixed} is in use or no port; end the program that listens there, or set ${variable} to another port, or unset it for a free one`,
      { port: fixed, variable },
    );
  }
  const free = (remembered === undefined ? undefined : await probePort(remembered)) ?? (await freePort());
  if (free === undefined) throw new GatehouseError('LOCAL_PORT_UNUSABLE', 'no port of 127.0.0.1 can be listened on');
  return free;
}

/** Where the service of a port is reached. */
export const endpointOf = (port: number): string => `http://127.0.0.1:${port}`;
