//! The chat of Twitch over its WebSocket.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Ended, JOIN_TIMEOUT, Reader, ServiceFrame, lost};
use crate::net::web::Socket;
use crate::text::problem::problem;
use crate::wire::chat::service::twitch::{self, TwitchEvent};

/// After this much silence, the service is asked whether it is still there.
const QUIET_TIME: Duration = Duration::from_secs(60);
/// The connection counts as lost if a question is not answered for this long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

impl Reader {
    /// Reads the chat of Twitch until the connection ends.
    pub(super) async fn twitch(&self) -> Ended {
        let url = match self.server(twitch::SERVER) {
            Ok(url) => url,
            Err(ended) => return ended,
        };
        let mut socket = match Socket::open(&url, &self.options, &|_| {}).await {
            Ok(socket) => socket,
            Err(error) => return lost(&error),
        };
        let login = twitch::login(&self.address.channel, std::process::id());
        if let Err(error) = socket.send_text(login).await {
            return lost(&error);
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
                Ok(Err(error)) => return lost(&error),
                Err(_) if !is_joined => {
                    let channel = self.address.channel.as_str();
                    return Ended::Lost(problem!("chat-no-channel", channel = channel));
                }
                Err(_) if is_asked => return Ended::Lost(problem!("chat-silent")),
                Err(_) => {
                    is_asked = true;
                    if let Err(error) = socket.send_text(twitch::ping()).await {
                        return lost(&error);
                    }
                    continue;
                }
            };
            is_asked = false;
            for event in twitch::events(&text) {
                let frame = match event {
                    TwitchEvent::Ping(question) => {
                        if let Err(error) = socket.send_text(twitch::pong(&question)).await {
                            return lost(&error);
                        }
                        continue;
                    }
                    TwitchEvent::Joined => {
                        is_joined = true;
                        self.open();
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
                if !self.pass(frame) {
                    return Ended::Left;
                }
            }
        }
    }
}
