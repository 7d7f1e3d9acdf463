import { type Execution, execute } from '#local/statemachines/interpreter.ts';
import { type MachineName, type ScriptOf, scripted } from '../_scripted.ts';
import { WELL } from '../_scripts.ts';

/** Runs a machine by the script by which everything goes well, but for what is given. */
export function run<M extends MachineName>(name: M, ...scripts: readonly Partial<ScriptOf<M>>[]): Promise<Execution> {
  const { input, script } = WELL[name];
  return execute(name, input, scripted(script, ...scripts));
}

/** How releases are compared, in whatever machine. */
export const MEASURING = [
  'Build daily partitions',
  'Build daily partition',
  'Build feature partitions',
  'Build feature partition',
  'Build feature partition',
  'Score releases',
  'Score release',
  'Measure comparison',
];
