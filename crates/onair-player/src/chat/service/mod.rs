//! The chat of a streaming service, which is only read. A task on the network runtime keeps the
//! connection and reconnects, as for the chat of a stream. Each service has a file of its own, which
//! reads the chat until the connection ends.

mod bilibili;
mod chat_position;
mod key;
mod twitch;
pub mod youtube;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::{ChatState, MAX_UNREAD_LINES, ReadChat, Reconnects};
use crate::base::queue::{self, Full};
use crate::net::web::WebUrl;
use crate::net::{Error, Options, Runtime};
use crate::text::Problem;
use crate::wire::chat::service::{Service, ServiceAddress, ServicePost};

/// The service has joined the channel within this time, or it does not know the channel.
const JOIN_TIMEOUT: Duration = Duration::from_secs(15);

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
pub type ServiceChat = ReadChat<ServiceFrame>;

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
        let mut place = chat_position::ChatPlace::default();
        loop {
            let since = Instant::now();
            let ended = match self.address.service {
                Service::Twitch => self.twitch().await,
                Service::YouTube => self.youtube(&mut place).await,
                Service::Bilibili => self.bilibili().await,
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
    /// Returns the server of the service, or the other one of the address.
    fn server(&self, usual: &str) -> Result<WebUrl, Ended> {
        let server = self.address.server.as_ref().map_or(usual, |it| it.as_str());
        WebUrl::parse(server).map_err(|error| Ended::Refused(Problem::from(&error)))
    }

    fn open(&self) {
        *self.state.lock() = ChatState::Open;
    }

    /// Passes on what happens. Returns false if the chat handle was dropped.
    fn pass(&self, frame: ServiceFrame) -> bool {
        self.frames.send(frame).is_ok()
    }
}

fn lost(error: &Error) -> Ended {
    Ended::Lost(Problem::from(&error.cause))
}
