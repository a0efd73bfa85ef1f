/**
 * An `answer` that is JSON text already, such as the database made it: a publisher puts it into what it sends as it is, and
 * neither parses it nor encodes it again.
 */
export class EncodedJson {
  readonly text: string;

  /** @param text one whole JSON value */
  constructor(text: string) {
    this.text = text;
  }
}
