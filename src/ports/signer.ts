/** Signs with an environment's own key (ECDSA on P-256, SHA-256, DER). */
export interface Signer {
  publicKeyPem(): Promise<string>;
  sign(message: Uint8Array): Promise<Uint8Array>;
}
