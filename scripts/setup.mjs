// Installs what the project needs, then runs a program with Node 24: `node scripts/setup.mjs [program.ts args...]`.
// Plain JavaScript without dependencies, for Node 20: it is what runs on a clean clone, before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const binaries = at('node_modules', '.bin');
const python = at('.venv', 'bin', 'python');
const pythonStamp = at('.venv', 'requirements.sha256');
const lock = at('.gatehouse', 'setup.lock');

class SetupError extends Error {}

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

// npm writes what it installed to node_modules/.package-lock.json as its last act; what is optional may be missing there
// (another platform's binaries). So a developer's own `npm install` counts as well, and an interrupted one does not.
const npmIsCurrent = () => {
  const wanted = readJson(at('package-lock.json'))?.packages ?? {};
  const installed = readJson(at('node_modules', '.package-lock.json'))?.packages;
  return (
    installed !== undefined &&
    Object.entries(wanted).every(([path, entry]) => {
      if (path === '' || entry.link) return true;
      const found = installed[path];
      if (found === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
      return found.version === entry.version && found.integrity === entry.integrity;
    })
  );
};

const pythonVersion = () => {
  try {
    return /^version\s*=\s*(.+)$/m.exec(readFileSync(at('.venv', 'pyvenv.cfg'), 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
};

const requirementsDigest = () =>
  createHash('sha256')
    .update(readFileSync(at('requirements.txt')))
    .update(pythonVersion())
    .digest('hex');

const pythonIsCurrent = () => {
  try {
    return existsSync(python) && readFileSync(pythonStamp, 'utf8') === requirementsDigest();
  } catch {
    return false;
  }
};

const output = (command, args) => {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
};

// Under `npm run` the PATH begins with node_modules/.bin, whose node `npm ci` is about to delete.
const hostEnvironment = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter((part) => part !== binaries)
    .join(delimiter),
};

const requireNode = () => {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20 or newer (24 on macOS)`);
  const bundled = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  if (!bundled && major < 24) {
    throw new SetupError(
      `Node 24 is needed, this is ${process.versions.node}: on ${process.platform}-${process.arch} it does not come with the lockfile; install it (nvm install 24, brew install node@24)`,
    );
  }
};

const findPython = () => {
  const probe = 'import sys; print(".".join(map(str, sys.version_info[:3])))';
  const names = [process.env.PYTHON, 'python3', 'python3.13', 'python3.12', 'python3.11', 'python'].filter(Boolean);
  const found = names.map((name) => ({ name, version: output(name, ['-c', probe]) })).filter(({ version }) => version);
  const fit = found.find(({ version }) => {
    const [major, minor] = version.split('.').map(Number);
    return major === 3 && minor >= 11;
  });
  if (fit === undefined) {
    const seen = found.length === 0 ? 'none was found' : `found ${found[0].name} ${found[0].version}`;
    throw new SetupError(
      `Python 3.11 or newer is needed, ${seen}: install it (apt install python3 python3-venv, brew install python) or name it by PYTHON=/path/to/python3`,
    );
  }
  if (output(fit.name, ['-c', 'import venv, ensurepip']) === undefined) {
    throw new SetupError(
      `${fit.name} ${fit.version} has no venv module: on Debian and Ubuntu run "apt install python3-venv"`,
    );
  }
  return fit.name;
};

const run = (command, args, hint) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: hostEnvironment, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (chunk) => {
      text = (text + chunk).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new SetupError(`${command} did not start (${error.message}): ${hint}`)));
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new SetupError(`${[command, ...args].join(' ')} failed: ${hint}\n${text.trim()}`)),
    );
  });

const installNpm = () =>
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund'],
    'npm must be installed and its registry reachable; run the command again',
  );

const installPython = async (host) => {
  rmSync(pythonStamp, { force: true });
  if (!existsSync(python))
    await run(host, ['-m', 'venv', '--clear', '.venv'], 'the virtual environment could not be made');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '--disable-pip-version-check',
    '-r',
    'requirements.txt',
  ];
  await run(python, pip, 'the Python package index must be reachable; if the environment is broken, delete .venv');
  writeFileSync(pythonStamp, requirementsDigest());
};

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

// A link appears with its content or not at all, so nobody ever reads a lock without an owner.
const takeLock = async () => {
  mkdirSync(dirname(lock), { recursive: true });
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let told = false; ; told = true) {
      try {
        linkSync(mine, lock);
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const owner = Number(existsSync(lock) ? readFileSync(lock, 'utf8') : 0);
      if (owner !== 0 && !alive(owner)) rmSync(lock, { force: true });
      else if (!told) console.error(`setup: waiting for the set-up that process ${owner} runs`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    rmSync(mine, { force: true });
  }
};

const install = async () => {
  requireNode();
  await takeLock();
  try {
    const steps = [];
    const began = Date.now();
    if (!npmIsCurrent()) {
      console.error('setup: installing npm packages');
      steps.push(installNpm());
    }
    if (!pythonIsCurrent()) {
      const host = existsSync(python) ? python : findPython();
      console.error('setup: installing Python packages into .venv');
      steps.push(installPython(host));
    }
    // Both end before a failure is told: neither may be left running without the lock.
    const failed = (await Promise.allSettled(steps)).filter(({ status }) => status === 'rejected');
    if (failed.length > 0) throw new SetupError(failed.map(({ reason }) => reason.message).join('\n'));
    if (steps.length > 0) console.error(`setup: done in ${Math.round((Date.now() - began) / 1000)} s`);
  } finally {
    rmSync(lock, { force: true });
  }
};

const node24 = () => {
  const bundled = join(binaries, 'node');
  if (process.platform === 'linux' && existsSync(bundled)) return bundled;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new SetupError(
    `Node 24 is needed, this is ${process.versions.node}, and the lockfile's own is not installed: run "npm ci --include=optional" or install Node 24`,
  );
};

const start = (args) => {
  const path = [binaries, at('.venv', 'bin'), hostEnvironment.PATH].join(delimiter);
  const child = spawn(node24(), args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A terminal has sent its Ctrl-C to the child already; a second one would read as "at once".
  const forward = (signal) => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  child.on('error', (error) => {
    console.error(`setup: Node 24 did not start (${error.message}); delete node_modules and try again`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};

try {
  if (!npmIsCurrent() || !pythonIsCurrent()) await install();
  const args = process.argv.slice(2);
  if (args.length > 0) start(args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = 3;
}
