/** A template without what changes with every build: assets' hashes, versions' ids, digests of models' files, definitions that are files of their own. */
export function normalised(template: object): unknown {
  const text = JSON.stringify(template)
    .replaceAll(/(?<=CurrentVersion)[0-9A-F]{8}[0-9a-f]{32}/g, '<version>')
    .replaceAll(/(?<=Output(?:Ref|FnGetAtt)\w*<version>)[0-9A-F]{8}/g, '')
    .replaceAll(/[0-9a-f]{64}(?=\.zip)/g, '<asset>')
    .replaceAll(/(?<=sha256:)[0-9a-f]{64}(?=\\+")/g, '<files>');
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !['Metadata', 'Rules', 'Parameters', 'Conditions'].includes(key))
        .map(([key, each]) => [key, key === 'DefinitionString' ? '<statemachines/*.asl.json>' : strip(each)]),
    );
  };
  return strip(JSON.parse(text));
}
