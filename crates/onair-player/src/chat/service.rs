//! The chat of a streaming service, which is only read. A task on the network runtime keeps the
//! connection and reconnects, as for the chat of a stream.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{ChatState, MAX_UNREAD_LINES, Reconnects};
use crate::base::queue::{self, Full};
use crate::net::web::{Socket, WebUrl};
use crate::net::{Options, Runtime};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::service::twitch::{self, TwitchEvent};
use crate::wire::chat::service::{Service, ServiceAddress, ServicePost};

/// The service has joined the channel within this time, or it does not know the channel.
const JOIN_TIMEOUT: Duration = Duration::from_secs(15);
/// After this much silence, the service is asked whether it is still there.
const QUIET_TIME: Duration = Duration::from_secs(60);
/// The connection counts as lost if a question is not answered for this long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What happens in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceFrame {
    Post(ServicePost),
    /// The message with this id is deleted.
    Deleted(String),
    /// The messages of the sender with this id are deleted; `None` means all messages.
    Cleared(Option<String>),
}

/// A joined chat. Dropping the value leaves the chat.
#[derive(Debug)]
pub struct ServiceChat {
    received: queue::Receiver<ServiceFrame>,
    state: Arc<Mutex<ChatState>>,
    task: JoinHandle<()>,
}

impl ServiceChat {
    /// Joins the chat of a channel. The call returns at once.
    pub fn join(address: &ServiceAddress, options: Options, runtime: &Runtime) -> Self {
        let (frames, received) =
            queue::bounded("service chat lines", MAX_UNREAD_LINES, Full::DropOldest);
        let state = Arc::new(Mutex::new(ChatState::Connecting));
        let reader =
            Reader { address: address.clone(), options, frames, state: Arc::clone(&state) };
        let task = runtime.spawn(reader.run());
        Self { received, state, task }
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> ChatState {
        self.state.lock().clone()
    }

    /// Returns what happens in the chat.
    pub fn frames(&self) -> &queue::Receiver<ServiceFrame> {
        &self.received
    }
}

impl Drop for ServiceChat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Reader {
    address: ServiceAddress,
    options: Options,
    frames: queue::Sender<ServiceFrame>,
    state: Arc<Mutex<ChatState>>,
}

/// Why a connection ended.
enum Ended {
    /// The chat handle was dropped.
    Left,
    Lost(Problem),
    /// The service refuses this channel, and does so again.
    Refused(Problem),
}

impl Reader {
    async fn run(self) {
        let mut reconnects = Reconnects::new(u64::from(std::process::id()));
        loop {
            let since = Instant::now();
            let ended = match self.address.service {
                Service::Twitch => self.twitch().await,
            };
            match ended {
                Ended::Left => return,
                Ended::Refused(cause) => {
                    *self.state.lock() = ChatState::Refused { cause };
                    return;
                }
                Ended::Lost(cause) => {
                    reconnects.lasted(since.elapsed());
                    *self.state.lock() = ChatState::Lost { cause, offered: None };
                }
            }
            sleep(reconnects.pause()).await;
            *self.state.lock() = ChatState::Connecting;
        }
    }

    /// Reads the chat of Twitch until the connection ends.
    async fn twitch(&self) -> Ended {
        let server = self.address.server.as_ref().map_or(twitch::SERVER, |it| it.as_str());
        let url = match WebUrl::parse(server) {
            Ok(url) => url,
            Err(error) => return Ended::Refused(Problem::from(&error)),
        };
        let lost = |error: crate::net::Error| Ended::Lost(Problem::from(&error.cause));
        let mut socket = match Socket::open(&url, &self.options, &|_| {}).await {
            Ok(socket) => socket,
            Err(error) => return lost(error),
        };
        let login = twitch::login(&self.address.channel, std::process::id());
        if let Err(error) = socket.send_text(login).await {
            return lost(error);
        }
        let join_by = Instant::now() + JOIN_TIMEOUT;
        let (mut is_joined, mut is_asked) = (false, false);
        loop {
            let wait = match (is_joined, is_asked) {
                (false, _) => join_by.saturating_duration_since(Instant::now()),
                (true, false) => QUIET_TIME,
                (true, true) => ANSWER_TIMEOUT,
            };
            let text = match timeout(wait, socket.next_text()).await {
                Ok(Ok(Some(text))) => text,
                Ok(Ok(None)) => return Ended::Lost(problem!("chat-ended")),
                Ok(Err(error)) => return lost(error),
                Err(_) if !is_joined => {
                    let channel = self.address.channel.as_str();
                    return Ended::Lost(problem!("chat-no-channel", channel = channel));
                }
                Err(_) if is_asked => return Ended::Lost(problem!("chat-silent")),
                Err(_) => {
                    is_asked = true;
                    if let Err(error) = socket.send_text(twitch::ping()).await {
                        return lost(error);
                    }
                    continue;
                }
            };
            is_asked = false;
            for event in twitch::events(&text) {
                let frame = match event {
                    TwitchEvent::Ping(question) => {
                        if let Err(error) = socket.send_text(twitch::pong(&question)).await {
                            return lost(error);
                        }
                        continue;
                    }
                    TwitchEvent::Joined => {
                        is_joined = true;
                        *self.state.lock() = ChatState::Open;
                        continue;
                    }
                    TwitchEvent::Reconnect => return Ended::Lost(problem!("chat-ended")),
                    TwitchEvent::Refused(words) => {
                        return Ended::Refused(problem!("chat-refused-by", words = words));
                    }
                    TwitchEvent::Post(post) => ServiceFrame::Post(post),
                    TwitchEvent::Deleted(id) => ServiceFrame::Deleted(id),
                    TwitchEvent::Cleared(from) => ServiceFrame::Cleared(from),
                };
                if self.frames.send(frame).is_err() {
                    return Ended::Left;
                }
            }
        }
    }
}
