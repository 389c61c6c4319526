/** What must be done to take a drill's system down again, in the order in which it was put up. */
export type Undo = (() => Promise<unknown>)[];

/** The last first; what fails is told and keeps nothing else from being undone. */
export async function undone(steps: Undo): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    await step().catch((error: unknown) =>
      process.stderr.write(`a step of the drill's end failed: ${String(error)}\n`),
    );
  }
}
