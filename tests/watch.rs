//! A player that runs until a test has seen enough.

use std::cell::RefCell;
use std::time::Duration;

use onair::base::queue::Empty;
use onair::base::{Clock, Latest};
use onair::media::VideoFrame;
use onair::net::Runtime;
use onair::player::{Config, Event, Failure, Figures, Player, Source, State, TimeShiftState};
use onair::text::Language;

use crate::peers::LIMIT;

/// The result of a run of the player.
#[derive(Debug)]
pub struct Outcome {
    pub state: State,
    pub figures: Figures,
    pub events: Vec<Event>,
    pub picture: Option<VideoFrame>,
}

impl Outcome {
    /// The cause of the failure.
    pub fn failure(&self) -> &Failure {
        match &self.state {
            State::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// The keys of the player's messages.
    pub fn notice_keys(&self) -> Vec<&'static str> {
        let keys = self.events.iter().filter_map(|event| match event {
            Event::Message(message) => Some(message.key()),
            Event::State(_) | Event::Over(_) | Event::Line(_) => None,
        });
        keys.collect()
    }
}

/// The cure, in English.
pub fn cure(failure: &Failure) -> String {
    Language::English.cure(&failure.problem).unwrap_or_default()
}

/// The configuration of a player for this URL, without a speaker.
pub fn config(url: &str) -> Config {
    Config { speaker: false, ..Config::new(Source::parse(url)) }
}

/// Plays to the end, or until `enough` returns true.
pub fn play(config: &Config, mut enough: impl FnMut(&Figures) -> bool) -> Outcome {
    let runtime = Runtime::start().unwrap();
    let clock = Clock::start();
    let screen = Latest::<VideoFrame>::default();
    let mut player = Player::open(config, &runtime, clock, screen).unwrap();
    let mut events = Vec::new();
    while !player.state().is_final() && !enough(&player.figures()) {
        let now = clock.now().as_secs_f64();
        assert!(now < LIMIT.as_secs_f64(), "{:?} {:?}", player.state(), player.figures());
        match player.events().recv_timeout(Duration::from_millis(5)) {
            Ok(event) => events.push(event),
            Err(error) => assert_eq!(error, Empty::Waiting),
        }
    }
    let state = player.state();
    assert!(player.stop(Duration::from_secs(30)), "a thread hangs");
    events.extend(std::iter::from_fn(|| player.events().try_recv().ok()));
    let (figures, picture) = (player.figures(), player.last_frame());
    drop(player);
    runtime.shutdown(Duration::from_secs(2));
    Outcome { state, figures, events, picture }
}

/// A player and all that it needs.
pub struct Watching {
    pub player: Player,
    runtime: Runtime,
    pub clock: Clock,
    notice_keys: RefCell<Vec<&'static str>>,
}

impl Watching {
    pub fn start(config: &Config) -> Self {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let screen = Latest::<VideoFrame>::default();
        let player = Player::open(config, &runtime, clock, screen).unwrap();
        Self { player, runtime, clock, notice_keys: RefCell::default() }
    }

    pub fn time_shift(&self) -> TimeShiftState {
        self.player.figures().time_shift.unwrap_or_default()
    }

    pub fn shown(&self) -> u64 {
        self.player.figures().shown
    }

    pub fn wait(&self, what: &str, enough: impl Fn(&Self) -> bool) {
        let start = self.clock.now();
        while !enough(self) {
            let waited = self.clock.now().since(start);
            let figures = self.player.figures();
            assert!(waited < LIMIT, "{what}: {:?} {figures:?}", self.player.state());
            if let Ok(Event::Message(message)) =
                self.player.events().recv_timeout(Duration::from_millis(5))
            {
                self.notice_keys.borrow_mut().push(message.key());
            }
        }
    }

    /// The keys of the messages that arrived while the test waited.
    pub fn notice_keys(&self) -> Vec<&'static str> {
        self.notice_keys.borrow().clone()
    }

    pub fn end(mut self) {
        assert!(self.player.stop(Duration::from_secs(30)), "a thread hangs");
        self.runtime.shutdown(Duration::from_secs(2));
    }
}
