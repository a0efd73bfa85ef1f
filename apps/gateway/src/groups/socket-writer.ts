import { Queue } from '../queue.ts';

/** What a writer has to know of its socket. */
type Socket = {
  readonly isOpen: boolean;
  /** How much was sent that the client's side has not taken yet. */
  readonly unreadBytes: number;
  /** Resolves when no more than that is unread, or the socket is closed. */
  drained(unreadBytesMax: number): Promise<void>;
};

/**
 * Sends some of what it has to send.
 * @param bytes how much there is room for; a single frame may be larger
 * @param isEmpty whether everything before was read
 * @returns whether that was all; `whole` if nothing was sent, because there is no room for its one frame: it is called
 *   again when everything before was read
 */
type Job = (bytes: number, isEmpty: boolean) => boolean | 'whole';

/** Most unread bytes on a socket to which more is written. */
const unreadBytesMax = 256 * 1_024;

/**
 * Everything that waits for a user goes to their socket through this: states, replayed messages, redeliveries. Jobs have
 * their turns one behind the other, each when the client has read enough of what was sent before. A slow client gets
 * everything, slowly, and nothing that waits for it can close its socket. Live messages are published past it.
 *
 * Between its request for a turn and the turn anything may have happened to a job's group or connection, so each looks
 * itself whether it still has anything to send. When the socket is closed all jobs have their turn, and send nothing.
 */
export class SocketWriter {
  readonly #socket: Socket;
  /** Undefined until something has to wait: on most connections nothing ever does. */
  #jobs: Queue<Job> | undefined;
  /** The first job waits until no more than this is unread. */
  #drainBytes = unreadBytesMax;
  #isWaiting = false;
  #isWorking = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether nothing waits here, and the client has read all that was sent. */
  get isIdle(): boolean {
    return !this.#jobs?.size && this.#socket.unreadBytes === 0;
  }

  /** Sends at once if nothing else waits and there is room. */
  write(job: Job): void {
    if (this.#isWaiting || this.#isWorking) {
      this.#jobs ??= new Queue();
      this.#jobs.push(job);
      return;
    }
    this.#isWorking = true;
    // Nothing waits: one that is done at once needs no queue.
    if (!this.#hasRoom || !this.#giveTurn(job)) this.#putFirst(job);
    this.#takeTurns();
    this.#isWorking = false;
    if (this.#jobs?.size) void this.#workLater();
  }

  /** Resolves when it would be this one's turn to send so many bytes: there is room for them, or nothing is unread. */
  turn(bytes = 0): Promise<void> {
    return new Promise((resolve) => {
      this.write((room, isEmpty) => {
        if (bytes > room && !isEmpty) return 'whole';
        resolve();
        return true;
      });
    });
  }

  async #workLater(): Promise<void> {
    this.#isWaiting = true;
    while (this.#jobs?.size) {
      await this.#socket.drained(this.#drainBytes);
      this.#isWorking = true;
      this.#takeTurns();
      this.#isWorking = false;
    }
    this.#isWaiting = false;
  }

  /** Before those that it has added itself. */
  #putFirst(job: Job): void {
    const behind = this.#jobs;
    this.#jobs = new Queue();
    this.#jobs.push(job);
    for (let next = behind?.shift(); next; next = behind?.shift()) this.#jobs.push(next);
  }

  #takeTurns(): void {
    const jobs = this.#jobs;
    if (!jobs) return;
    for (let job = jobs.first(); job; job = jobs.first()) {
      if (!this.#hasRoom) return;
      if (this.#giveTurn(job)) jobs.shift();
    }
    this.#jobs = undefined;
  }

  get #hasRoom(): boolean {
    const { isOpen, unreadBytes } = this.#socket;
    return unreadBytes <= this.#drainBytes || !isOpen;
  }

  /** @returns whether the job is over */
  #giveTurn(job: Job): boolean {
    const { isOpen, unreadBytes } = this.#socket;
    this.#drainBytes = unreadBytesMax;
    const done = job(unreadBytesMax - unreadBytes, unreadBytes === 0 || !isOpen);
    if (done === 'whole' && isOpen) this.#drainBytes = 0;
    return !isOpen || done === true;
  }
}
