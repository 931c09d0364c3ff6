/** Parts of the console that are loaded when they are first needed. */

export class OutOfDate extends Error {
  override readonly name = "OutOfDate";
  constructor() {
    super("The console was replaced by a newer one while it was open, or the connection is lost. Reload it.");
  }
}

/** A part of a build that has been replaced is gone from the server: only a reload brings the new one. */
export function part<Module>(load: () => Promise<Module>): () => Promise<Module> {
  return () =>
    load().catch(() => {
      throw new OutOfDate();
    });
}
