/** What keeps the archivist from its work; the message is a sentence for whoever runs it. */
export class ArchiveError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An archive is not what it should be: incomplete, changed, or of another log. */
export class BadArchive extends ArchiveError {
  constructor(readonly reason: string) {
    super(`the archive is not good: ${reason}`);
  }
}
