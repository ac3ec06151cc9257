//! The chat of Bilibili over its WebSocket.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{Ended, JOIN_TIMEOUT, Reader, ServiceFrame, key, lost};
use crate::net::web::Socket;
use crate::text::problem::problem;
use crate::wire::chat::service::bilibili::{self, BilibiliEvent};

/// Interval of the messages without which the service ends the connection after 70 seconds.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30);
/// The connection counts as lost after this much silence. The service answers each heartbeat.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(75);

impl Reader {
    /// Reads the chat of Bilibili until the connection ends.
    pub(super) async fn bilibili(&self) -> Ended {
        let url = match self.server(bilibili::SERVER) {
            Ok(url) => url,
            Err(ended) => return ended,
        };
        let permission = match key::of("ONAIR_BILIBILI_AUTH").await {
            Ok(permission) => permission,
            Err(why) => return Ended::Refused(why),
        };
        let mut socket = match Socket::open(&url, &self.options, &|_| {}).await {
            Ok(socket) => socket,
            Err(error) => return lost(&error),
        };
        let permission = permission.as_ref().map(crate::base::Secret::expose);
        let login = bilibili::login(&self.address.channel, permission);
        if let Err(error) = socket.send_bytes(login).await {
            return lost(&error);
        }
        let mut is_joined = false;
        let mut silent_by = Instant::now() + JOIN_TIMEOUT;
        let mut beat_at = Instant::now() + HEARTBEAT_INTERVAL;
        loop {
            let frame = match timeout_at(silent_by.min(beat_at), socket.next()).await {
                Ok(Ok(Some(frame))) => frame,
                Ok(Ok(None)) => return Ended::Lost(problem!("chat-ended")),
                Ok(Err(error)) => return lost(&error),
                Err(_) if Instant::now() < silent_by => {
                    beat_at = Instant::now() + HEARTBEAT_INTERVAL;
                    if let Err(error) = socket.send_bytes(bilibili::heartbeat()).await {
                        return lost(&error);
                    }
                    continue;
                }
                Err(_) if is_joined => return Ended::Lost(problem!("chat-silent")),
                Err(_) => {
                    let channel = self.address.channel.as_str();
                    return Ended::Lost(problem!("chat-no-channel", channel = channel));
                }
            };
            if is_joined {
                silent_by = Instant::now() + SILENCE_TIMEOUT;
            }
            for event in bilibili::events(&frame) {
                let frame = match event {
                    BilibiliEvent::Joined => {
                        is_joined = true;
                        silent_by = Instant::now() + SILENCE_TIMEOUT;
                        self.open();
                        continue;
                    }
                    BilibiliEvent::Refused(code) => {
                        let words = code.to_string();
                        return Ended::Refused(problem!("chat-refused-by", words = words));
                    }
                    BilibiliEvent::Alive => continue,
                    BilibiliEvent::Post(post) => ServiceFrame::Post(post),
                    BilibiliEvent::Deleted(id) => ServiceFrame::Deleted(id),
                };
                if !self.pass(frame) {
                    return Ended::Left;
                }
            }
        }
    }
}
