//! The chat of a stream: receives messages, and sends the user's own. A task on the network runtime
//! keeps the connection and reconnects.

pub mod service;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::base::Backoff;
use crate::base::queue::{self, Full};
use crate::net::web::{Socket, WebUrl};
use crate::net::{Cause, Error, Options, Runtime};
use crate::player::state::OfferedChat;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::{ChatFrame, ChatLine};

/// Maximum number of unread messages; the oldest are dropped.
const MAX_UNREAD_LINES: usize = 256;
/// Maximum number of unsent messages; further ones are rejected.
const MAX_UNSENT_LINES: usize = 8;
/// After this much silence, the connection counts as lost: the server sends a ping every ten
/// seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(35);
/// A connection that lasts this long counts as a success.
const STEADY_CONNECTION_TIME: Duration = Duration::from_secs(10);

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatState {
    /// Connecting or reconnecting.
    Connecting,
    Open,
    /// Lost or never connected, with the reason. The client tries again. If the certificate has no
    /// trusted issuer, `offered` lets the user accept it.
    Lost {
        cause: Problem,
        offered: Option<OfferedChat>,
    },
    /// The server has no chat or rejects this client, with the reason. The client does not try
    /// again.
    Refused {
        cause: Problem,
    },
    /// The server has no chat at the guessed address. The client does not try again.
    Absent,
}

impl ChatState {
    /// Returns the name in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Lost { .. } => "lost",
            Self::Refused { .. } | Self::Absent => "refused",
        }
    }

    /// Returns the reason why the chat is not open.
    pub const fn cause(&self) -> Option<&Problem> {
        match self {
            Self::Lost { cause, .. } | Self::Refused { cause } => Some(cause),
            Self::Connecting | Self::Open | Self::Absent => None,
        }
    }
}

/// A chat that a task reads. Dropping the value leaves the chat.
#[derive(Debug)]
pub struct ReadChat<T> {
    received: queue::Receiver<T>,
    state: Arc<Mutex<ChatState>>,
    task: JoinHandle<()>,
}

impl<T> ReadChat<T> {
    /// Returns the state of the connection.
    pub fn state(&self) -> ChatState {
        self.state.lock().clone()
    }

    /// Returns what happens in the chat.
    pub fn frames(&self) -> &queue::Receiver<T> {
        &self.received
    }
}

impl<T> Drop for ReadChat<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A joined chat. Dropping the value leaves the chat.
#[derive(Debug)]
pub struct Chat {
    read: ReadChat<ChatFrame>,
    to_say: mpsc::Sender<(ChatLine, u64)>,
}

impl Chat {
    /// Joins the chat at this address (`ws://host/app/stream/chat`). The call returns at once.
    pub fn join(url: WebUrl, options: Options, runtime: &Runtime) -> Self {
        Self::go(url, false, options, runtime)
    }

    /// Works like [`join`](Self::join), but for a guessed address: a server without a chat is asked
    /// only once.
    pub fn discover(url: WebUrl, options: Options, runtime: &Runtime) -> Self {
        Self::go(url, true, options, runtime)
    }

    fn go(url: WebUrl, guessed: bool, options: Options, runtime: &Runtime) -> Self {
        let (frames, received) = queue::bounded("chat lines", MAX_UNREAD_LINES, Full::DropOldest);
        let (to_say, says) = mpsc::channel(MAX_UNSENT_LINES);
        let state = Arc::new(Mutex::new(ChatState::Connecting));
        let talk = ChatThread { url, guessed, options, frames, state: Arc::clone(&state) };
        let task = runtime.spawn(talk.run(says));
        Self { read: ReadChat { received, state, task }, to_say }
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> ChatState {
        self.read.state()
    }

    /// Returns the messages, including the user's own, and the deletions of messages.
    pub fn frames(&self) -> &queue::Receiver<ChatFrame> {
        self.read.frames()
    }

    /// Sends a message, whose number a refusal repeats. Returns false if the chat is not open, or
    /// too many messages wait.
    pub fn say(&self, line: ChatLine, number: u64) -> bool {
        self.state() == ChatState::Open && self.to_say.try_send((line, number)).is_ok()
    }
}

/// Returns true if the server answered without opening a chat, which means that it has none.
fn is_none(error: &Error) -> bool {
    matches!(error.cause, Cause::Answer { status, .. } if status < 500)
}

/// The sent messages without an answer.
#[derive(Debug, Default)]
struct Unanswered {
    /// The numbers of the messages.
    numbers: VecDeque<u64>,
    /// True if the server answers by number. Other servers may never answer.
    is_numbered: bool,
}

impl Unanswered {
    /// Records a sent message.
    fn add(&mut self, number: u64) {
        self.numbers.push_back(number);
        if self.numbers.len() > MAX_UNSENT_LINES {
            self.numbers.pop_front();
        }
    }

    /// Removes the message that this frame answers.
    fn note(&mut self, frame: &ChatFrame) {
        let number = match frame {
            ChatFrame::Passed(number) => Some(*number),
            ChatFrame::Refused(refusal, _) => refusal.number,
            ChatFrame::Post(_)
            | ChatFrame::Line(_)
            | ChatFrame::Deleted(_)
            | ChatFrame::Slow(_) => return,
        };
        self.is_numbered |= number.is_some();
        // A refusal without a number is that of the oldest message.
        let is_it = |it: &u64| number.is_none_or(|number| number == *it);
        if let Some(at) = self.numbers.iter().position(is_it) {
            self.numbers.remove(at);
        }
    }

    /// Returns the messages that count as unsent when the connection ends.
    fn take(&mut self) -> VecDeque<u64> {
        let numbers = std::mem::take(&mut self.numbers);
        if self.is_numbered { numbers } else { VecDeque::new() }
    }
}

/// The waits before new connections.
struct Reconnects {
    backoff: Backoff,
    /// The total of the waits since the last success.
    waited: Duration,
}

impl Reconnects {
    fn new(seed: u64) -> Self {
        Self { backoff: Backoff::new(seed), waited: Duration::ZERO }
    }

    /// Records the end of a connection. A server that accepts and closes repeatedly does not count
    /// as recovered.
    fn lasted(&mut self, time: Duration) {
        if time >= STEADY_CONNECTION_TIME {
            self.backoff.reset();
            self.waited = Duration::ZERO;
        }
    }

    /// Returns the wait before the next connection.
    fn pause(&mut self) -> Duration {
        let pause = self.backoff.next_wait(self.waited);
        self.waited += pause;
        pause
    }
}

struct ChatThread {
    url: WebUrl,
    /// True if the address is a guess.
    guessed: bool,
    options: Options,
    frames: queue::Sender<ChatFrame>,
    state: Arc<Mutex<ChatState>>,
}

impl ChatThread {
    async fn run(mut self, mut says: mpsc::Receiver<(ChatLine, u64)>) {
        let mut reconnects = Reconnects::new(u64::from(std::process::id()));
        let mut repeats = Repeats::default();
        let mut unanswered = Unanswered::default();
        loop {
            self.set_out();
            let error = match Socket::open(&self.url, &self.options, &|_| {}).await {
                Ok(socket) => {
                    *self.state.lock() = ChatState::Open;
                    self.guessed = false;
                    let since = Instant::now();
                    let ended = self.talk(socket, &mut says, &mut repeats, &mut unanswered).await;
                    reconnects.lasted(since.elapsed());
                    match ended {
                        Ended::Left => return,
                        Ended::Lost(error) => error,
                    }
                }
                Err(error) => Some(error),
            };
            if self.guessed && error.as_ref().is_some_and(is_none) {
                *self.state.lock() = ChatState::Absent;
                return;
            }
            let cause = error
                .as_ref()
                .map_or_else(|| problem!("chat-ended"), |error| Problem::from(&error.cause));
            if error.as_ref().is_some_and(|error| !error.may_pass()) {
                *self.state.lock() = ChatState::Refused { cause };
                return;
            }
            let offered = error.and_then(|error| {
                Some(OfferedChat { pin: error.pin_to_offer()?, server: error.peer })
            });
            *self.state.lock() = ChatState::Lost { cause, offered };
            sleep(reconnects.pause()).await;
        }
    }

    /// Sets the state to [`ChatState::Connecting`]. An offer to accept a certificate stays visible
    /// during retries.
    fn set_out(&self) {
        let mut state = self.state.lock();
        if !matches!(*state, ChatState::Lost { offered: Some(_), .. }) {
            *state = ChatState::Connecting;
        }
    }

    async fn talk(
        &self,
        socket: Socket,
        says: &mut mpsc::Receiver<(ChatLine, u64)>,
        repeats: &mut Repeats,
        unanswered: &mut Unanswered,
    ) -> Ended {
        repeats.join();
        let ended = self.exchange(socket, says, repeats, unanswered).await;
        for number in unanswered.take() {
            let _ = self.frames.send(ChatFrame::unsent(number));
        }
        ended
    }

    /// Sends and receives messages until the connection ends.
    async fn exchange(
        &self,
        mut socket: Socket,
        says: &mut mpsc::Receiver<(ChatLine, u64)>,
        repeats: &mut Repeats,
        unanswered: &mut Unanswered,
    ) -> Ended {
        loop {
            tokio::select! {
                line = says.recv() => {
                    let Some((line, number)) = line else { return Ended::Left };
                    let json = line.to_numbered_json(number);
                    unanswered.add(number);
                    if let Err(error) = socket.send_text(json).await {
                        return Ended::Lost(Some(error));
                    }
                }
                received = timeout(SILENCE_TIMEOUT, socket.next_text()) => match received {
                    Ok(Ok(Some(text))) => {
                        let Some(frame) = ChatFrame::from_json(&text) else { continue };
                        unanswered.note(&frame);
                        if matches!(frame, ChatFrame::Passed(_)) {
                            continue;
                        }
                        let is_message = matches!(frame, ChatFrame::Post(_) | ChatFrame::Line(_));
                        if is_message && !repeats.is_new(&frame) {
                            continue;
                        }
                        if self.frames.send(frame).is_err() {
                            return Ended::Left;
                        }
                    }
                    Ok(Ok(None)) | Err(_) => return Ended::Lost(None),
                    Ok(Err(error)) => return Ended::Lost(Some(error)),
                },
            }
        }
    }
}

enum Ended {
    /// The chat handle was dropped.
    Left,
    Lost(Option<Error>),
}

/// The last messages. The server repeats them to clients that join again.
#[derive(Debug, Default)]
struct Repeats {
    known: VecDeque<ChatFrame>,
    /// The messages that this connection may repeat.
    again: VecDeque<ChatFrame>,
}

impl Repeats {
    /// Begins a connection.
    fn join(&mut self) {
        self.again.clone_from(&self.known);
    }

    /// Returns true if this message is new. All messages after a new one are new.
    fn is_new(&mut self, message: &ChatFrame) -> bool {
        if let Some(at) = self.again.iter().position(|it| it == message) {
            self.again.drain(..=at);
            return false;
        }
        self.again.clear();
        self.known.push_back(message.clone());
        if self.known.len() > MAX_UNREAD_LINES {
            self.known.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio_tungstenite::tungstenite::{self, Message};

    use super::*;

    #[test]
    fn who_lets_in_and_hangs_up_is_asked_less_and_less_often() {
        let mut reconnects = Reconnects::new(1);
        let mut pause_after = |seconds| {
            reconnects.lasted(Duration::from_secs(seconds));
            reconnects.pause()
        };
        let pauses: Vec<_> = (0..60).map(|_| pause_after(1)).collect();
        assert!(*pauses.last().unwrap() > Duration::from_secs(10), "{pauses:?}");
        assert!(pause_after(10) <= Duration::from_millis(500));
    }

    #[test]
    fn a_message_without_an_answer_counts_as_unsent() {
        let runtime = Runtime::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/live/x/chat", listener.local_addr().unwrap());
        let chat = Chat::join(WebUrl::parse(&url).unwrap(), Options::default(), &runtime);
        let mut server = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        let hello = ChatFrame::Line(ChatLine::new("ann", "hello").unwrap());
        server.send(Message::text(hello.to_json())).unwrap();
        let next = || chat.frames().recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(next(), hello, "the chat is open");
        for number in 1..=3 {
            assert!(chat.say(ChatLine::new("bob", &format!("text {number}")).unwrap(), number));
            assert!(server.read().unwrap().is_text());
        }
        // Somebody else sends the same text as the second message.
        let same = ChatFrame::Line(ChatLine::new("ann", "text 2").unwrap());
        for frame in [&ChatFrame::Passed(1), &same] {
            server.send(Message::text(frame.to_json())).unwrap();
        }
        drop(server);
        assert_eq!([next(), next(), next()], [same, ChatFrame::unsent(2), ChatFrame::unsent(3)]);
    }

    #[test]
    fn one_refusal_answers_one_message_and_servers_without_numbers_need_not_answer() {
        let mut unanswered = Unanswered::default();
        let mut left = |numbers: &[u64], answer: &str| {
            numbers.iter().for_each(|number| unanswered.add(*number));
            unanswered.note(&ChatFrame::from_json(answer).unwrap());
            unanswered.take()
        };
        let refusal = r#"{"name":"","text":"Slow mode is on.","refused":"slow"}"#;
        assert!(left(&[1, 2, 3], refusal).is_empty());
        assert_eq!(left(&[4, 5, 6], r#"{"passed":5}"#), [4, 6]);
        assert_eq!(left(&[7, 8, 9], refusal), [8, 9]);
        assert!(left(&[], refusal).is_empty());
    }

    #[test]
    fn a_connection_that_breaks_before_the_repetition_repeats_nothing_later() {
        let line = |text: &str| ChatFrame::Line(ChatLine::new("a", text).unwrap());
        let mut repeats = Repeats::default();
        repeats.join();
        assert!(["one", "two", "two"].iter().all(|text| repeats.is_new(&line(text))));
        // This connection breaks at once.
        repeats.join();
        repeats.join();
        assert!(["one", "two", "two"].iter().all(|text| !repeats.is_new(&line(text))));
        assert!(repeats.is_new(&line("three")) && repeats.is_new(&line("two")));
    }
}
