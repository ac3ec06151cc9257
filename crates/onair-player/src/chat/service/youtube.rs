//! The chat of YouTube, which is asked for again and again.

use std::time::Duration;

use tokio::time::sleep;

use super::chat_position::ChatPlace;
use super::{Ended, Reader, ServiceFrame, key, lost};
use crate::base::Secret;
use crate::net::web::{Client, Message, StallTimeout, WebUrl};
use crate::text::problem::problem;
use crate::wire::chat::service::youtube::{self, YouTubeEvent};

/// Time limit for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

impl Reader {
    /// Reads the chat of YouTube until the connection ends.
    pub(super) async fn youtube(&self, place: &mut ChatPlace) -> Ended {
        let server = match self.server(youtube::SERVER) {
            Ok(server) => server,
            Err(ended) => return ended,
        };
        let key = match key::of("ONAIR_YOUTUBE_KEY") {
            Ok(Some(key)) => key,
            Ok(None) => return Ended::Refused(problem!("chat-needs-key")),
            Err(why) => return Ended::Refused(why),
        };
        let mut client = Client::new(self.options.clone());
        loop {
            let Some(chat) = place.chat.clone() else {
                let reference = youtube::video(&self.address.channel);
                let answer = match ask(&mut client, &server, &reference, &key).await {
                    Ok(answer) => answer,
                    Err(ended) => return ended,
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
                Err(ended) => return ended,
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

/// Returns the answer to a question.
async fn ask(
    client: &mut Client,
    server: &WebUrl,
    reference: &str,
    key: &Secret,
) -> Result<Vec<u8>, Ended> {
    let url = server.join(reference).map_err(|error| Ended::Refused((&error).into()))?;
    let secret_field = Some((youtube::KEY_FIELD, key));
    let message = Message { method: "GET", secret_field, ..Message::default() };
    let answer = client.send(&url, &message, &|_| {}).await.map_err(|error| lost(&error))?;
    let status = answer.status();
    let mut patience = StallTimeout::new(ANSWER_TIMEOUT, ANSWER_TIMEOUT);
    let body = client.read(answer, youtube::MAX_ANSWER_BYTES, &mut patience).await;
    let body = body.map_err(|error| lost(&error))?;
    if status == 200 {
        return Ok(body.to_vec());
    }
    let refusal = youtube::refusal(status, &body);
    let why = problem!("chat-refused-by", words = refusal.words);
    Err(if refusal.is_final { Ended::Refused(why) } else { Ended::Lost(why) })
}
