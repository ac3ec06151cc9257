//! The chat for the stream of the selected player: the chat of its server, if any, and the lines in
//! the stream itself.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::net::web::WebUrl;
use crate::net::{Options, Runtime};
use crate::player::OfferedChat;
use crate::player::chat::{Chat, ChatState};
use crate::studio::watch::chat::{
    ChatChoices, ChatView, MAX_STORED_LINES, ReceivedLine, check_place,
};
use crate::wire::chat::{ChatFrame, ChatLine, ChatRefusal, ChatRole};
use crate::wire::rtmp::url::Url;

/// Number of the user's last messages whose texts are kept, because the server may refuse them.
const MAX_SENT_MESSAGES: usize = 16;

/// The chat session; see the module documentation.
#[derive(Debug, Default)]
pub struct ChatSession {
    /// True to search for a chat if no address is set.
    finds: bool,
    /// The address of the played stream, as requested.
    of: String,
    chat: Option<Chat>,
    /// The address of the chat, if it is known or guessed.
    address: Option<WebUrl>,
    /// A guessed chat address. It is tried once the stream plays, because a stream that does not
    /// exist yet has no chat.
    guess: Option<WebUrl>,
    received: VecDeque<ReceivedLine>,
    count: u64,
    /// The user's last messages, with their numbers.
    sent: VecDeque<(u64, Arc<str>)>,
    /// The number of the user's last message.
    last_sent: u64,
    /// The texts of messages that were not passed on, numbered in this order.
    returned: Arc<[(u64, Arc<str>)]>,
    /// The number of the last such text.
    last_returned: u64,
    deletions: u64,
    /// The number of chats before this one.
    generation: u64,
    pub choices: ChatChoices,
    /// The lines last passed to the window, which are rebuilt when a line is received.
    lines: Arc<[ReceivedLine]>,
}

impl ChatSession {
    pub fn new(finds: bool) -> Self {
        Self { finds, ..Self::default() }
    }

    /// Connects to the chat of this stream, unless it is connected. Without a stream, disconnects.
    /// `plays` is true if video or audio arrives. `own` returns the publishing address of the
    /// built-in server, and the address of its pages.
    pub fn follow(
        &mut self,
        url: &str,
        plays: bool,
        own: impl FnOnce() -> (String, String),
        options: &Options,
        runtime: &Runtime,
    ) {
        if self.of != url {
            url.clone_into(&mut self.of);
            self.generation += 1;
            self.received.clear();
            self.sent.clear();
            self.returned = Arc::default();
            self.renew();
            (self.chat, self.address, self.guess) = (None, None, None);
            if let Some(place) = self.choices.place_of(url) {
                self.address = check_place(place).ok();
                let at = self.address.clone();
                self.chat = at.map(|at| Chat::join(at, options.clone(), runtime));
            } else if self.finds {
                let (rtmp, http) = own();
                self.guess = address(url, (&rtmp, &http));
                self.address.clone_from(&self.guess);
            }
        }
        if plays && let Some(at) = self.guess.take() {
            self.chat = Some(Chat::discover(at, options.clone(), runtime));
        }
    }

    /// Sets the chat address for this stream; empty means that it is found automatically.
    pub fn set_address(&mut self, stream: &str, chat: &str) {
        if self.choices.place_of(stream).unwrap_or_default() == chat {
            return;
        }
        self.choices.put_place(stream, chat);
        // The next call of `follow` connects to the chat.
        self.of.clear();
        self.chat = None;
    }

    /// Returns the certificate of the chat's server, if the user may accept it.
    pub fn offered(&self) -> Option<OfferedChat> {
        match self.chat.as_ref()?.state() {
            ChatState::Lost { offered, .. } => offered,
            ChatState::Connecting
            | ChatState::Open
            | ChatState::Refused { .. }
            | ChatState::Absent => None,
        }
    }

    /// Handles a change of the network route: a chat that is not connected connects again.
    pub fn retry(&mut self) {
        if self.chat.as_ref().is_some_and(|chat| chat.state() != ChatState::Open) {
            // The next call of `follow` connects to the chat.
            self.of.clear();
            self.chat = None;
        }
    }

    /// Adds a line that arrived in the stream.
    pub fn add(&mut self, line: ChatLine) {
        if self.take(line, None) {
            self.renew();
        }
    }

    /// Takes the lines received since the last call.
    pub fn poll(&mut self) {
        let Some(chat) = self.chat.take() else { return };
        // At most this many frames are taken in one call; the next call takes the rest.
        let mut any = false;
        for frame in chat.frames().waiting().take(MAX_STORED_LINES) {
            any |= self.note(frame);
        }
        self.chat = Some(chat);
        if any {
            self.renew();
        }
    }

    /// Handles a frame. Returns true if the lines have changed.
    fn note(&mut self, frame: ChatFrame) -> bool {
        match frame {
            ChatFrame::Post(post) => self.take(post.line, Some((post.id, post.role))),
            ChatFrame::Line(line) => self.take(line, None),
            ChatFrame::Refused(refusal, line) => {
                let of_refusal = |sent: &&(u64, Arc<str>)| Some(sent.0) == refusal.number;
                if let Some((_, text)) = self.sent.iter().find(of_refusal) {
                    self.last_returned += 1;
                    let returned = (self.last_returned, Arc::clone(text));
                    let surplus = (self.returned.len() + 1).saturating_sub(MAX_SENT_MESSAGES);
                    let kept = self.returned.iter().skip(surplus).cloned();
                    self.returned = kept.chain([returned]).collect();
                }
                self.push(line, None, Some(refusal));
                true
            }
            ChatFrame::Deleted(ids) => self.remove(&ids),
            ChatFrame::Slow(_) | ChatFrame::Passed(_) => false,
        }
    }

    fn take(&mut self, line: ChatLine, by_server: Option<(u64, ChatRole)>) -> bool {
        let passes = self.choices.lets_pass(&line);
        if passes {
            self.push(line, by_server, None);
        }
        passes
    }

    fn push(
        &mut self,
        line: ChatLine,
        by_server: Option<(u64, ChatRole)>,
        refusal: Option<ChatRefusal>,
    ) {
        while self.received.len() >= MAX_STORED_LINES {
            self.received.pop_front();
        }
        self.count += 1;
        let (id, role) = by_server.map_or((None, ChatRole::Viewer), |(id, role)| (Some(id), role));
        self.received.push_back(ReceivedLine {
            number: self.count,
            id,
            role,
            line: Arc::new(line),
            refusal,
        });
    }

    /// Removes messages that the server has deleted. Returns true if any were removed.
    fn remove(&mut self, ids: &[u64]) -> bool {
        let before = self.received.len();
        self.received.retain(|it| it.id.is_none_or(|id| !ids.contains(&id)));
        let any = self.received.len() < before;
        self.deletions += u64::from(any);
        any
    }

    fn renew(&mut self) {
        self.lines = self.received.iter().cloned().collect();
    }

    /// Sends a text under the chosen name. A text that cannot be sent counts as refused.
    pub fn say(&mut self, text: &str) {
        let Some(line) = ChatLine::new(&self.choices.name, text) else { return };
        self.last_sent += 1;
        if self.sent.len() >= MAX_SENT_MESSAGES {
            self.sent.pop_front();
        }
        self.sent.push_back((self.last_sent, text.into()));
        let is_sent = self.chat.as_ref().is_some_and(|chat| chat.say(line, self.last_sent));
        if !is_sent {
            self.note(ChatFrame::unsent(self.last_sent));
            self.renew();
        }
    }

    /// Sets the display options.
    pub fn choose(&mut self, choices: ChatChoices) {
        self.choices = choices.checked();
        let choices = &self.choices;
        self.received.retain(|it| it.refusal.is_some() || choices.lets_pass(&it.line));
        self.renew();
    }

    /// Returns the state for the window.
    pub fn view(&self) -> ChatView {
        let state = self.chat.as_ref().map(Chat::state).filter(|it| *it != ChatState::Absent);
        let (lines, deletions) = (Arc::clone(&self.lines), self.deletions);
        let (address, generation) = (self.address.clone(), self.generation);
        let returned = Arc::clone(&self.returned);
        ChatView { state, address, lines, deletions, generation, returned }
    }
}

/// Guesses the chat address of a stream: next to an HTTP-FLV, WebSocket-FLV or HLS address or, for a
/// stream of the built-in server, on its pages. No requests are sent to other servers.
fn address(url: &str, (rtmp, http): (&str, &str)) -> Option<WebUrl> {
    if WebUrl::is_one(url) {
        return WebUrl::parse(url).ok()?.chat();
    }
    let (own, asked) = (rtmp.trim_end_matches('/'), Url::parse(url).ok()?);
    let own = Url::parse(&format!("{own}/x/y")).ok()?;
    if (own.host, own.port) != (asked.host, asked.port) {
        return None;
    }
    let path = url.split_once("://")?.1.split_once('/')?.1.split('#').next()?;
    // The key of the stream is also that of its chat.
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let path = path.trim_end_matches('/');
    WebUrl::parse(&format!("{}/{path}.flv{query}", http.trim_end_matches('/'))).ok()?.chat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_are_looked_for_only_where_they_are_known_to_be() {
        let own = ("rtmp://127.0.0.1:1935", "http://127.0.0.1:8088");
        for (url, chat) in [
            ("http://a/live/x.flv?t=1", Some("ws://a/live/x/chat?***")),
            ("wss://a/live/x.flv", Some("wss://a/live/x/chat")),
            ("rtmp://127.0.0.1:1935/live/onair", Some("ws://127.0.0.1:8088/live/onair/chat")),
            ("rtmp://127.0.0.1/live/onair?key=1", Some("ws://127.0.0.1:8088/live/onair/chat?***")),
            ("rtmp://elsewhere/live/onair", None),
            ("https://a/live/x.m3u8?t=1", Some("wss://a/live/x/chat?***")),
            ("http://a/live/x.ts", None),
            ("film.flv", None),
            ("", None),
        ] {
            let found = address(url, own).map(|it| it.to_string());
            assert_eq!(found.as_deref(), chat, "{url}");
        }
        assert_eq!(address("rtmp://127.0.0.1/live/onair", ("", "")), None);
    }

    #[test]
    fn a_chat_is_looked_for_once_the_stream_plays_and_only_once() {
        let runtime = Runtime::start().unwrap();
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/live/x.flv", server.local_addr().unwrap());
        let mut talk = ChatSession::new(true);
        let follow = |talk: &mut ChatSession, plays| {
            talk.follow(&url, plays, Default::default, &Options::default(), &runtime);
            talk.view().state
        };
        assert_eq!(follow(&mut talk, false), None);
        assert_eq!(follow(&mut talk, true), Some(ChatState::Connecting));
        let (mut asked, _) = server.accept().unwrap();
        let mut request = [0; 4_096];
        let length = std::io::Read::read(&mut asked, &mut request).unwrap();
        assert!(request[..length].starts_with(b"GET /live/x/chat "));
        let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        std::io::Write::write_all(&mut asked, answer).unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while follow(&mut talk, true).is_some() {
            assert!(std::time::Instant::now() < end, "there is still said to be a chat");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // The task has ended, and does not try again.
        assert_eq!(talk.chat.as_ref().unwrap().state(), ChatState::Absent);
        talk.poll();
        assert_eq!(follow(&mut talk, true), None);
    }

    #[test]
    fn deleted_lines_are_gone_and_others_stay() {
        let mut talk = ChatSession::default();
        for (id, text) in [(Some(7), "one"), (None, "two"), (Some(8), "three")] {
            let by_server = id.map(|id| (id, ChatRole::Viewer));
            talk.take(ChatLine::new("ann", text).unwrap(), by_server);
        }
        assert!(talk.remove(&[7, 99]) && !talk.remove(&[7]));
        talk.renew();
        let view = talk.view();
        let texts: Vec<_> = view.lines.iter().map(|it| it.line.text.as_str()).collect();
        assert_eq!((texts, view.deletions), (vec!["two", "three"], 1));
    }

    #[test]
    fn another_stream_has_another_chat() {
        let runtime = Runtime::start().unwrap();
        let mut talk = ChatSession::default();
        let mut follow = |url: &str| {
            talk.follow(url, false, Default::default, &Options::default(), &runtime);
            talk.view().generation
        };
        let first = follow("rtmp://a/live/x");
        assert_eq!(follow("rtmp://a/live/x"), first);
        assert_ne!(follow("rtmp://a/live/y"), first);
    }

    #[test]
    fn the_address_of_the_chat_is_the_chosen_one_or_the_guess() {
        let runtime = Runtime::start().unwrap();
        let mut talk = ChatSession::new(true);
        let mut follow = |url: &str, chosen: &str| {
            talk.set_address(url, chosen);
            talk.follow(url, false, Default::default, &Options::default(), &runtime);
            talk.view().address.map(|it| it.to_string())
        };
        assert_eq!(follow("http://a/live/x.flv", "").as_deref(), Some("ws://a/live/x/chat"));
        let chosen = "ws://127.0.0.1:9/chat";
        assert_eq!(follow("http://a/live/x.flv", chosen).as_deref(), Some(chosen));
        assert_eq!(follow("", ""), None);
    }

    #[test]
    fn refusals_are_no_messages_of_people() {
        let mut talk = ChatSession::default();
        let words = vec!["slow".to_owned()];
        talk.choose(ChatChoices { words: words.clone(), ..ChatChoices::default() });
        let json = r#"{"name":"","text":"Slow mode is on.","refused":"slow","wait":5}"#;
        assert!(talk.note(ChatFrame::from_json(json).unwrap()));
        talk.choose(ChatChoices { words, ..ChatChoices::default() });
        let refusal = ChatRefusal { reason: "slow".to_owned(), wait: Some(5), number: None };
        let view = talk.view();
        assert_eq!((view.lines.len(), &view.lines[0].refusal), (1, &Some(refusal)));
    }

    #[test]
    fn the_text_of_a_refused_message_comes_back() {
        let mut talk = ChatSession::default();
        // There is no chat, so the text cannot be sent.
        talk.say("hello");
        let view = talk.view();
        assert_eq!(*view.returned, [(1, Arc::<str>::from("hello"))]);
        let refusal = view.lines[0].refusal.as_ref().unwrap();
        assert_eq!(refusal.reason, ChatRefusal::UNSENT);
        for number in 2..100 {
            talk.say(&format!("text {number}"));
        }
        assert_eq!(talk.sent.len(), MAX_SENT_MESSAGES);
        let json = r#"{"name":"","text":"Slow mode is on.","refused":"slow","number":98}"#;
        assert!(talk.note(ChatFrame::from_json(json).unwrap()));
        let returned = talk.view().returned;
        assert_eq!(returned.len(), MAX_SENT_MESSAGES);
        assert_eq!(
            returned[MAX_SENT_MESSAGES - 2..],
            [(99, Arc::<str>::from("text 99")), (100, Arc::from("text 98"))]
        );
    }

    #[test]
    fn lines_are_bounded_and_words_keep_them_out_afterwards_too() {
        let mut talk = ChatSession::default();
        for number in 0..MAX_STORED_LINES + 10 {
            talk.add(ChatLine::new("ann", &format!("line {number}")).unwrap());
        }
        let view = talk.view();
        assert_eq!((view.lines.len(), view.lines[0].number), (MAX_STORED_LINES, 11));
        let words = vec!["LINE 20".to_owned()];
        talk.choose(ChatChoices { words, ..ChatChoices::default() });
        let texts: Vec<_> = talk.view().lines.iter().map(|it| it.line.text.clone()).collect();
        assert!(!texts.contains(&"line 20".to_owned()) && texts.contains(&"line 21".to_owned()));
        assert_eq!(talk.view().state, None);
    }
}
