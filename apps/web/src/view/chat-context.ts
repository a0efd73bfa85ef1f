import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Book } from '../chat/book.ts';
import type { Chat } from '../chat/chat.ts';

export const ChatContext = createContext<Chat | undefined>(undefined);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('there is no chat around this component');
  return chat;
}

/** Of the user who is signed in. */
export function useBook(): Book {
  const book = useChat().book.value;
  if (!book) throw new Error('nobody is signed in');
  return book;
}
