import { render } from 'preact';
import { Chat } from './chat/chat.ts';
import { allowOnly, findServers } from './server-url.ts';
import './style/base.css';
import './style/controls.css';
import './style/frame.css';
import './style/list.css';
import './style/conversation.css';
import './style/messages.css';
import './style/dialog.css';
import { App } from './view/app.tsx';
import { ChatContext } from './view/chat-context.ts';
import { StartFailure } from './view/start-failure.tsx';

const root = document.getElementById('app') as HTMLElement;
try {
  const servers = await findServers(location);
  allowOnly(servers.url);
  const chat = await Chat.open(servers);
  render(
    <ChatContext.Provider value={chat}>
      <App />
    </ChatContext.Provider>,
    root,
  );
} catch (error) {
  render(<StartFailure error={error} />, root);
}
