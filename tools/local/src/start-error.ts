/** Something that the person at the terminal can put right: its message is all that they are shown. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
