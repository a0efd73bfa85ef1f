import { countOpenFiles, type Log } from '@hooligram/service';
import { FileReserve, readOpenFilesMax } from './open-files.ts';

/** What a gateway needs beside its clients: Redis, health and metrics, and connections that are no clients yet. */
const besideClients = 200;
/** Not ready from this part on, so that the load balancer goes elsewhere before somebody is refused. */
const readyUpTo = 0.95;

const lookEveryMs = 500;
/** With fewer files left the gateway stops listening: uWebSockets.js would try to accept again and again without a pause. */
const stopBelow = 24;
/** Only if it lasts for so many looks: a burst of clients is refused, and their files are free again, in less. */
const stopAfterLooks = 2;
/** With more it listens again. */
const listenAbove = 64;
/** Given back when it stops listening, so that health and metrics can be asked. */
const reserve = 16;

type Options = {
  /** Undefined: what the limit of open files leaves. */
  readonly connectionsMax: number | undefined;
  readonly log: Log;
  connections(): number;
  /** Takes no new connections for now. */
  pauseListening(): void;
  resumeListening(): void;
};

/** How many clients a gateway takes, and that it goes on answering when it can take no more. */
export class ConnectionRoom {
  readonly connectionsMax: number;
  readonly #options: Options;
  readonly #filesMax = readOpenFilesMax();
  readonly #reserve = new FileReserve(reserve);
  #isPaused = false;
  #looksWithoutFiles = 0;

  constructor(options: Options) {
    this.#options = options;
    this.connectionsMax = options.connectionsMax ?? Math.max(1, this.#filesMax - besideClients);
    if (this.connectionsMax > this.#filesMax - besideClients) {
      options.log.warn(
        { connectionsMax: this.connectionsMax, openFilesMax: this.#filesMax },
        'the limit of open files (ulimit -n) leaves no room for so many connections',
      );
    }
  }

  get isFull(): boolean {
    return this.#options.connections() >= this.connectionsMax;
  }

  /** A condition of readiness. */
  readonly check = (): true | string => {
    if (this.#isPaused) return 'no files are left to open: see ulimit -n';
    const connections = this.#options.connections();
    if (connections < readyUpTo * this.connectionsMax) return true;
    return `${connections} of ${this.connectionsMax} connections are taken`;
  };

  /** Looks after the files from now on. @returns ends that */
  start(): () => void {
    this.#reserve.take();
    if (!Number.isFinite(this.#filesMax)) return () => {};
    const timer = setInterval(() => this.#look(), lookEveryMs).unref();
    return () => clearInterval(timer);
  }

  #look(): void {
    const open = countOpenFiles();
    if (open === undefined) return;
    const left = this.#filesMax - open;
    const { log, pauseListening, resumeListening } = this.#options;
    this.#looksWithoutFiles = left < stopBelow ? this.#looksWithoutFiles + 1 : 0;
    if (!this.#isPaused && this.#looksWithoutFiles >= stopAfterLooks) {
      this.#isPaused = true;
      pauseListening();
      this.#reserve.release();
      log.warn({ openFilesMax: this.#filesMax }, 'no files are left to open: takes no connections for now');
    } else if (this.#isPaused && left > listenAbove) {
      this.#isPaused = false;
      this.#reserve.take();
      resumeListening();
      log.info({ openFilesMax: this.#filesMax }, 'takes connections again');
    }
  }
}
