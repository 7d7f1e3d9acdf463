declare module 'asl-validator' {
  /** Says whether a definition is valid Amazon States Language; it writes into the definition that it is given. */
  export default function validate(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): { readonly isValid: boolean; readonly errorsText: () => string };
}
