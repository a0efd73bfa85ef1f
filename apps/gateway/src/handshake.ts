import { networkOf } from '@hooligram/service';
import type { uWS } from '@hooligram/uws';
import type { LineRefusal, WaitingHandshake } from './handshake-line.ts';
import { refuse, unavailable } from './refuse.ts';

/** A refused client is told to come back after one to so many seconds, at random: not all of them at once. */
const retryAfterMaxSeconds = 10;

export const stoppingText = 'This gateway is stopping. Connect again.\n';
const crowdedText = 'Too many connect at once. Connect again.\n';

/** Whose handshakes they are. */
type Owner = {
  /** @returns what the socket has as its user data */
  connect(address: string): object;
  /** @param detail for whose network there was no room */
  onRefused(reason: LineRefusal, detail?: { readonly source: string }): void;
};

/** A sound handshake, with what is needed of its request, which is gone after the callback of the upgrade. */
export class Handshake implements WaitingHandshake {
  readonly #owner: Owner;
  readonly #response: uWS.HttpResponse;
  readonly #context: uWS.us_socket_context_t;
  readonly #address: string;
  readonly #key: string;
  readonly #protocol: string;
  readonly #extensions: string;
  #network: string | undefined;

  constructor(
    owner: Owner,
    response: uWS.HttpResponse,
    request: uWS.HttpRequest,
    { context, address }: { readonly context: uWS.us_socket_context_t; readonly address: string },
  ) {
    this.#owner = owner;
    this.#response = response;
    this.#context = context;
    this.#address = address;
    this.#key = request.getHeader('sec-websocket-key');
    this.#protocol = request.getHeader('sec-websocket-protocol');
    this.#extensions = request.getHeader('sec-websocket-extensions');
  }

  get network(): string {
    this.#network ??= networkOf(this.#address);
    return this.#network;
  }

  /** In the callback. */
  upgrade(): void {
    const connection = this.#owner.connect(this.#address);
    this.#response.upgrade(connection, this.#key, this.#protocol, this.#extensions, this.#context);
  }

  /** In the callback: it is answered later. @param onGone its client has gone: it must not be answered any more */
  hold(onGone: () => void): void {
    this.#response.onAborted(onGone);
  }

  letIn(): void {
    this.#response.cork(() => this.upgrade());
  }

  refuse(reason: LineRefusal): void {
    this.#owner.onRefused(reason, reason === 'stopping' ? undefined : { source: this.network });
    this.#response.cork(() => {
      if (reason === 'stopping') refuse(this.#response, unavailable, stoppingText);
      else refuse(this.#response, unavailable, crowdedText, { retryAfterSeconds: retryAfterSeconds() });
    });
  }
}

function retryAfterSeconds(): number {
  return 1 + Math.floor(Math.random() * retryAfterMaxSeconds);
}
