//! The live chat of YouTube: answers of the Data API (version 3), `videos.list` and
//! `liveChatMessages.list`, which is asked again and again.

use std::time::Duration;

use serde_json::Value;

use super::ServicePost;
use crate::wire::chat::ChatRole;

/// The server of the interface.
pub const SERVER: &str = "https://www.googleapis.com/";
/// The header field with the key, which must not be in an address.
pub const KEY_FIELD: &str = "X-Goog-Api-Key";
/// The longest accepted answer, in bytes: 500 messages.
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
/// Maximum length of an id of a chat or a page, in bytes.
const MAX_TOKEN_BYTES: usize = 512;
/// The range of the wait that the service asks for.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What happens in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YouTubeEvent {
    Post(ServicePost),
    /// The message with this id is deleted.
    Deleted(String),
    /// The messages of this sender are deleted.
    Cleared(String),
    /// The broadcast is over.
    Ended,
}

/// An answer with messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YouTubePage {
    pub events: Vec<YouTubeEvent>,
    /// The token of the next page.
    pub next: Option<String>,
    /// The time after which the next page may be asked for.
    pub wait: Duration,
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YouTubeRefusal {
    /// The reason in the words of the service.
    pub words: String,
    /// True if asking again gives the same answer.
    pub is_final: bool,
}

/// Returns the reference to the answer that names the chat of a video.
pub fn video(id: &str) -> String {
    format!("youtube/v3/videos?part=liveStreamingDetails&id={}", encoded(id))
}

/// Returns the reference to the messages of a chat, after this page.
pub fn messages(chat: &str, page: Option<&str>) -> String {
    let after = page.map(|it| format!("&pageToken={}", encoded(it))).unwrap_or_default();
    let chat = encoded(chat);
    format!("youtube/v3/liveChat/messages?part=snippet,authorDetails&liveChatId={chat}{after}")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Returns the id of the chat of a video, or `None` if the video is not live or does not exist.
pub fn chat_of(answer: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(answer).ok()?;
    token(value.pointer("/items/0/liveStreamingDetails/activeLiveChatId")?)
}

fn token(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (1..=MAX_TOKEN_BYTES).contains(&text.len()).then(|| text.to_owned())
}

/// Reads an answer with messages. Messages of unknown kinds are skipped.
pub fn page(answer: &[u8]) -> Option<YouTubePage> {
    let value: Value = serde_json::from_slice(answer).ok()?;
    let items = value.get("items").and_then(Value::as_array).map(Vec::as_slice);
    let mut events: Vec<_> = items.unwrap_or_default().iter().filter_map(event).collect();
    if value.get("offlineAt").is_some() && !events.contains(&YouTubeEvent::Ended) {
        events.push(YouTubeEvent::Ended);
    }
    let wait = value.get("pollingIntervalMillis").and_then(Value::as_u64).unwrap_or(5_000);
    let wait = Duration::from_millis(wait).clamp(WAIT.0, WAIT.1);
    Some(YouTubePage { events, next: value.get("nextPageToken").and_then(token), wait })
}

fn event(item: &Value) -> Option<YouTubeEvent> {
    let text = |path: &str| item.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let is = |path: &str| item.pointer(path).and_then(Value::as_bool).unwrap_or_default();
    let id = |path: &str| Some(text(path).to_owned()).filter(|id| !id.is_empty());
    match text("/snippet/type") {
        "chatEndedEvent" => Some(YouTubeEvent::Ended),
        "messageDeletedEvent" => {
            id("/snippet/messageDeletedDetails/deletedMessageId").map(YouTubeEvent::Deleted)
        }
        "userBannedEvent" => {
            id("/snippet/userBannedDetails/bannedUserDetails/channelId").map(YouTubeEvent::Cleared)
        }
        "tombstone" => None,
        kind => {
            let own = text("/snippet/textMessageDetails/messageText");
            // Gifts, memberships and other events, which the service puts into words.
            let words = if own.is_empty() { text("/snippet/displayMessage") } else { own };
            let role =
                match (is("/authorDetails/isChatOwner"), is("/authorDetails/isChatModerator")) {
                    (true, _) => ChatRole::Streamer,
                    (_, true) => ChatRole::Moderator,
                    _ => ChatRole::Viewer,
                };
            let is_own = matches!(kind, "textMessageEvent" | "superChatEvent");
            let name = if is_own { text("/authorDetails/displayName") } else { "" };
            let ids = (text("/id"), text("/snippet/authorChannelId"));
            ServicePost::new(ids, role, name, words).map(YouTubeEvent::Post)
        }
    }
}

/// Reads an answer that is no success.
pub fn refusal(status: u16, answer: &[u8]) -> YouTubeRefusal {
    let value: Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let reason = text("/error/errors/0/reason");
    let words = if reason.is_empty() { text("/error/message") } else { reason };
    let words = match super::clean(words, 4 * crate::wire::chat::MAX_NAME_CHARS) {
        words if words.is_empty() => status.to_string(),
        words => words,
    };
    let may_pass = matches!(reason, "rateLimitExceeded" | "userRateLimitExceeded" | "backendError");
    YouTubeRefusal { words, is_final: (400..500).contains(&status) && status != 429 && !may_pass }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id as long as those of the service.
    const ID: &str = "LCC.EhwKGkNQdlB0Y0xXNG9jREZRRGZ3Z1FkV2hRQldREjgKGENoTUlfX1ZfTzE4dXRvWURGU1VHclFZ\
                      ZGZnEhxDSi1NLVliaW80Y0RGZnNNclFZZFZXd0JsdzE3NjQ1MzAzOTQ1NzE";
    const ANSWER: &str = r#"{
      "kind": "youtube#liveChatMessageListResponse", "pollingIntervalMillis": 3000,
      "nextPageToken": "GI_next", "items": [
      { "id": "ID", "snippet": { "type": "textMessageEvent", "authorChannelId": "UC1",
          "textMessageDetails": { "messageText": "hello \ud83d\ude00 :wave:" } },
        "authorDetails": { "displayName": "Ann", "isChatOwner": true, "isChatModerator": false } },
      { "id": "m2", "snippet": { "type": "superChatEvent", "authorChannelId": "UC2",
          "displayMessage": "$5.00 from Bob: \"go\"" },
        "authorDetails": { "displayName": "Bob", "isChatModerator": true } },
      { "id": "m3", "snippet": { "type": "newSponsorEvent", "displayMessage": "Eve is a member" },
        "authorDetails": { "displayName": "Eve" } },
      { "id": "m4", "snippet": { "type": "messageDeletedEvent",
          "messageDeletedDetails": { "deletedMessageId": "ID" } } },
      { "id": "m5", "snippet": { "type": "userBannedEvent",
          "userBannedDetails": { "bannedUserDetails": { "channelId": "UC2" } } } },
      { "id": "m6", "snippet": { "type": "textMessageEvent" } },
      { "id": "m7", "snippet": { "type": "chatEndedEvent" } } ] }"#;

    #[test]
    fn a_deletion_names_its_message_by_an_id_as_long_as_those_of_the_service() {
        let events = page(ANSWER.replace("ID", ID).as_bytes()).unwrap().events;
        let (Some(YouTubeEvent::Post(post)), Some(YouTubeEvent::Deleted(id))) =
            (events.first(), events.iter().find(|it| matches!(it, YouTubeEvent::Deleted(_))))
        else {
            panic!("{events:?}");
        };
        assert!(id.len() > 100 && post.id == *id, "{id} {}", post.id);
    }

    #[test]
    fn an_answer_has_messages_deletions_and_the_next_page() {
        let page = page(ANSWER.replace("ID", ID).as_bytes()).unwrap();
        assert_eq!((page.next.as_deref(), page.wait), (Some("GI_next"), Duration::from_secs(3)));
        let seen: Vec<String> = page
            .events
            .iter()
            .map(|event| match event {
                YouTubeEvent::Post(post) => {
                    format!("{} {:?} {}: {}", post.from, post.role, post.line.name, post.line.text)
                }
                other => format!("{other:?}"),
            })
            .collect();
        let deleted = format!("{:?}", YouTubeEvent::Deleted(ID.into()));
        let expected = [
            "UC1 Streamer Ann: hello \u{1f600} :wave:",
            "UC2 Moderator Bob: $5.00 from Bob: \"go\"",
            " Viewer : Eve is a member",
            &deleted,
            "Cleared(\"UC2\")",
            "Ended",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn references_carry_no_foreign_field() {
        assert_eq!(video("a&b=c"), "youtube/v3/videos?part=liveStreamingDetails&id=a%26b%3Dc");
        assert!(messages("Cg0&x", Some("p+1")).ends_with("liveChatId=Cg0%26x&pageToken=p%2B1"));
        let found = r#"{"items":[{"liveStreamingDetails":{"activeLiveChatId":"Cg0"}}]}"#;
        assert_eq!(chat_of(found.as_bytes()).as_deref(), Some("Cg0"));
        for none in [r#"{"items":[]}"#, r#"{"items":[{"liveStreamingDetails":{}}]}"#, "x"] {
            assert_eq!(chat_of(none.as_bytes()), None);
        }
    }

    #[test]
    fn refusals_are_shown_in_the_words_of_the_service() {
        let body = r#"{"error":{"code":403,"message":"long","errors":[{"reason":"REASON"}]}}"#;
        let refused =
            |status, reason: &str| refusal(status, body.replace("REASON", reason).as_bytes());
        assert!(refused(403, "liveChatEnded").is_final && refused(403, "quotaExceeded").is_final);
        assert!(!refused(403, "rateLimitExceeded").is_final && !refused(503, "x").is_final);
        assert_eq!(refused(403, "quotaExceeded").words, "quotaExceeded");
        assert_eq!(refusal(500, b"<html>").words, "500");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(answer in proptest::arbitrary::any::<Vec<u8>>(), status in 0_u16..700) {
            let _ = page(&answer);
            let _ = chat_of(&answer);
            let _ = refusal(status, &answer);
        }
    }
}
