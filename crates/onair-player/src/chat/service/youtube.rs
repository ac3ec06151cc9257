//! The chat of YouTube, which is asked for again and again.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;

use super::chat_position::ChatPlace;
use super::{Ended, Reader, ServiceFrame, key, lost};
use crate::base::Secret;
use crate::net::Error;
use crate::net::web::{Client, Message, StallTimeout, WebUrl};
use crate::text::problem::problem;
use crate::wire::chat::service::youtube::{self, YouTubeEvent, YouTubeRefusal};

/// Time limit for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The key that the user has entered. That of the environment precedes it.
static KEY: Mutex<Option<Secret>> = Mutex::new(None);

/// Sets the key for the next connections.
pub fn set_key(key: Option<Secret>) {
    *KEY.lock() = key;
}

impl Reader {
    /// Reads the chat of YouTube until the connection ends.
    pub(super) async fn youtube(&self, place: &mut ChatPlace) -> Ended {
        let server = match self.server(youtube::SERVER) {
            Ok(server) => server,
            Err(ended) => return ended,
        };
        let key = match key::of("ONAIR_YOUTUBE_KEY").await {
            Ok(Some(key)) => key,
            Ok(None) => match KEY.lock().clone() {
                Some(key) => key,
                None => return Ended::Refused(problem!("chat-needs-key")),
            },
            Err(why) => return Ended::Refused(why),
        };
        let mut client = Client::new(self.options.clone());
        loop {
            let Some(chat) = place.chat.clone() else {
                let reference = youtube::video(&self.address.channel);
                let answer = match ask(&mut client, &server, &reference, &key).await {
                    Ok(answer) => answer,
                    Err(failed) => return failed.ended(),
                };
                match youtube::chat_of(&answer) {
                    Some(chat) => place.chat = Some(chat),
                    None => {
                        let channel = self.address.channel.as_str();
                        return Ended::Lost(problem!("chat-not-live", channel = channel));
                    }
                }
                continue;
            };
            let reference = youtube::messages(&chat, place.page.as_deref());
            let answer = match ask(&mut client, &server, &reference, &key).await {
                Ok(answer) => answer,
                // The token of a page is valid for a while only.
                Err(NoAnswer::Refused(status, refusal)) if place.forget_refused_page(status) => {
                    return Ended::Lost(problem!("chat-refused-by", words = refusal.words));
                }
                Err(failed) => return failed.ended(),
            };
            let Some(page) = youtube::page(&answer) else {
                return Ended::Lost(problem!("chat-silent"));
            };
            self.open();
            for event in page.events {
                let frame = match event {
                    YouTubeEvent::Post(post) if !place.is_new(&post.id) => continue,
                    YouTubeEvent::Post(post) => ServiceFrame::Post(post),
                    YouTubeEvent::Deleted(id) => ServiceFrame::Deleted(id),
                    YouTubeEvent::Cleared(from) => ServiceFrame::Cleared(Some(from)),
                    YouTubeEvent::Ended => return Ended::Refused(problem!("chat-ended")),
                };
                if !self.pass(frame) {
                    return Ended::Left;
                }
            }
            place.page = page.next;
            sleep(page.wait).await;
        }
    }
}

/// Why there is no answer.
enum NoAnswer {
    Ended(Ended),
    /// The service has refused with this status.
    Refused(u16, YouTubeRefusal),
}

impl NoAnswer {
    fn ended(self) -> Ended {
        match self {
            Self::Ended(ended) => ended,
            Self::Refused(_, YouTubeRefusal { words, is_final }) => {
                let why = problem!("chat-refused-by", words = words);
                if is_final { Ended::Refused(why) } else { Ended::Lost(why) }
            }
        }
    }
}

/// Returns the answer to a question.
async fn ask(
    client: &mut Client,
    server: &WebUrl,
    reference: &str,
    key: &Secret,
) -> Result<Vec<u8>, NoAnswer> {
    let failed = |error: &Error| NoAnswer::Ended(lost(error));
    let url = server.join(reference);
    let url = url.map_err(|error| NoAnswer::Ended(Ended::Refused((&error).into())))?;
    let secret_field = Some((youtube::KEY_FIELD, key));
    let message = Message { method: "GET", secret_field, ..Message::default() };
    let answer = client.send(&url, &message, &|_| {}).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    let mut patience = StallTimeout::new(ANSWER_TIMEOUT, ANSWER_TIMEOUT);
    let body = client.read(answer, youtube::MAX_ANSWER_BYTES, &mut patience).await;
    let body = body.map_err(|error| failed(&error))?;
    if status == 200 {
        return Ok(body.to_vec());
    }
    Err(NoAnswer::Refused(status, youtube::refusal(status, &body)))
}
