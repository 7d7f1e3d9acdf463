/** Endpoints of an environment, called as a consumer calls them. */
export interface Endpoints {
  /** The models that answer requests. */
  readonly models: readonly string[];
  /**
   * Sends a document to a path of the endpoint of a model, which is one of `models`.
   *
   * @throws what kept the call from being answered
   */
  post(model: string, path: string, body: object): Promise<{ readonly status: number; readonly text: string }>;
  /** Reads a path of the endpoint of a model. @throws what kept the call from being answered */
  get(model: string, path: string): Promise<{ readonly status: number; readonly text: string }>;
}
