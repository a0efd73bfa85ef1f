export { type FrameMatch, isAnswer, type Question, type ReceivedFrame } from './frame.ts';
export { Inbox } from './inbox.ts';
export { type Close, connect, ProtocolClient, type ProtocolClientOptions } from './protocol-client.ts';
