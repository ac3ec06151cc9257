//! Handles the players of the *Watch* page: commands and settings.

use crate::base::Worker;
use crate::decode::inventory;
use crate::player;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::event::Event;
use crate::studio::notices::TileId;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::targets::Target;
use crate::studio::watch::choices::WatchCommand;
use crate::studio::watch::{MessageVia, TileReport, choices, message};

impl Engine {
    /// Restores the tiles of an earlier run; nothing plays automatically.
    pub fn begin_watching(&mut self) {
        let chat = WatchCommand::SetChat(self.settings.chat.clone());
        // Setting the display of the chat cannot fail.
        let _ = self.watch.handle(&chat);
        if self.settings.wall.len() > 1 {
            let wall = self.settings.wall.clone();
            self.watch.restore(&wall);
        }
    }

    /// Reports the players' messages.
    pub fn poll_players(&mut self) {
        for (tile, report) in self.watch.poll() {
            match report {
                TileReport::Message(message, MessageVia::Reported) => {
                    self.tell_of_tile(tile, Some(message));
                }
                TileReport::Message(message, MessageVia::Again) => {
                    self.notices.raise_again_of(tile, &message);
                }
                TileReport::Message(message, MessageVia::Noted) => self.notices.note(&message),
                TileReport::Over(key) => {
                    self.notices.take_back_of(tile, &[key]);
                    self.notices.is_over(key, "");
                }
            }
        }
        for (tile, event) in self.watch.take_events() {
            self.player_happened(tile, event);
        }
    }

    /// Reports an event of this tile's player.
    fn player_happened(&mut self, tile: TileId, event: player::Event) {
        if matches!(&event, player::Event::State(state) if state.is_final()) {
            self.notices.take_back_of(tile, Group::Progress.keys());
        }
        self.notices.send_event(Event::Player(tile, event));
    }

    /// Reports a message of this tile's player, if there is one.
    fn tell_of_tile(&mut self, tile: TileId, message: Option<StudioMessage>) {
        if let Some(message) = message {
            self.notices.raise_of(tile, &message);
        }
    }

    /// Ends the players cleanly: completes files, and reports the last messages.
    pub fn end_watching(&mut self) {
        self.watch.end(self.clock);
        self.poll_players();
    }

    /// Handles the commands for players.
    pub fn handle_watching(&mut self, command: Command) {
        match command {
            Command::Watch { url } => {
                self.remember_watched(&url);
                self.end_playback_notices(self.watch.chosen());
                let message = self.watch.open(url, &self.runtime, self.clock);
                self.tell_of_tile(self.watch.chosen(), message);
            }
            Command::WatchAll(urls) => {
                urls.iter().for_each(|url| self.remember_watched(url));
                for message in self.watch.add_all(urls, &self.runtime, self.clock) {
                    self.tell_of_tile(self.watch.chosen(), Some(message));
                }
            }
            Command::StopWatching => {
                self.end_playback_notices(self.watch.chosen());
                self.watch.close();
            }
            Command::SetVolume(volume) => {
                self.watch.set_volume(volume);
                self.settings.volume = self.watch.volume();
            }
            Command::StepVolume(by) => {
                self.watch.set_volume(self.watch.volume() + by);
                self.settings.volume = self.watch.volume();
            }
            Command::SetPlayerMuted(muted) => {
                self.watch.set_muted(muted);
                self.settings.player_muted = muted;
            }
            Command::Player(playing) => self.handle_playing(playing),
            _ => return,
        }
        self.keep_wall();
        self.changed();
    }

    fn handle_playing(&mut self, playing: WatchCommand) {
        match playing {
            WatchCommand::Add { url } => {
                self.remember_watched(&url);
                let message = self.watch.add(url, &self.runtime, self.clock);
                // Only a single tile reports its failure.
                self.tell_of_tile(self.watch.chosen(), message);
            }
            WatchCommand::Again(id) => {
                self.end_playback_notices(id);
                let message = self.watch.again(id, &self.runtime, self.clock);
                self.tell_of_tile(id, message);
            }
            WatchCommand::Trust { tile, pin } => {
                self.notices.active.clear(Group::Player.keys());
                let message = self.watch.trust((tile, pin), &self.runtime, self.clock);
                self.tell_of_tile(tile, message);
                self.keep_choices();
            }
            WatchCommand::TrustChat(pin) => {
                let message = self.watch.trust_chat(pin);
                self.notices.raise_some(message.map(|message| (message, String::new())));
                self.keep_choices();
            }
            WatchCommand::ProbeHardware => {
                // The search takes a while, but nothing waits for it.
                let looking = Worker::spawn("decoding-hardware", |_| {
                    let _ = inventory::hardware();
                });
                if let Err(error) = looking {
                    tracing::warn!(%error, "the search for hardware decoders failed");
                }
            }
            WatchCommand::Screenshot(path) => {
                let frame = self.watch.chosen_frame();
                self.take_screenshot_of(frame, path);
            }
            WatchCommand::Forget(url) => self.settings.recent.retain(|known| *known != url),
            WatchCommand::ForgetAll => self.settings.recent.clear(),
            WatchCommand::Save(path) => {
                if let Some(folder) = path.parent() {
                    // A problem with the folder is reported when the file is created.
                    let _ = std::fs::create_dir_all(folder);
                }
                if let Err(failure) = self.watch.handle(&WatchCommand::Save(path)) {
                    self.notices.raise(&message(&failure, None), "");
                }
            }
            playing => {
                // A player that has ended cannot seek.
                if let Some(from) = self.watch.replay_position(&playing) {
                    self.end_playback_notices(self.watch.chosen());
                    let message = self.watch.replay(from, &self.runtime, self.clock);
                    self.tell_of_tile(self.watch.chosen(), message);
                    return;
                }
                if let WatchCommand::Remove(id) = playing {
                    self.end_playback_notices(id);
                }
                if let Err(failure) = self.watch.handle(&playing) {
                    self.notices.raise(&message(&failure, None), "");
                }
                self.keep_choices();
            }
        }
    }

    /// Ends the notices about the playback in this tile. Those of the selected tile may also be
    /// from an earlier tile.
    fn end_playback_notices(&mut self, tile: TileId) {
        for keys in [Group::Player.keys(), Group::Playback.keys()] {
            if self.watch.is_chosen(tile) {
                self.notices.active.clear(keys);
            } else {
                self.notices.take_back_of(tile, keys);
            }
        }
    }

    fn keep_choices(&mut self) {
        self.settings.player = self.watch.choices();
        let mut chat = self.watch.chat_choices().clone();
        chat.places.retain(|(stream, at)| self.may_keep(stream) && self.may_keep(at));
        self.settings.chat = chat;
    }

    /// Adds a stream to the recent ones, unless its address contains a secret.
    fn remember_watched(&mut self, url: &str) {
        if self.may_keep(url) {
            self.settings.watch_url = url.to_owned();
            choices::remember(&mut self.settings.recent, url);
        }
    }

    /// Returns true if an address may be saved. It must seem free of secrets and must not contain a
    /// target's key. While a stored key is unknown (a player window loads none), it must not begin
    /// with the target's address either.
    fn may_keep(&self, url: &str) -> bool {
        let loads_none = self.file.players.is_some();
        let is_below = |target: &Target| {
            let (scheme, rest) = target.server().split_once("://")?;
            let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
            let own = rest.split('?').next().unwrap_or_default().trim_end_matches('/');
            let asked = url.strip_prefix(scheme)?.strip_prefix("://")?;
            (!own.is_empty() && asked.starts_with(own)).then_some(())
        };
        let may_hold_key = |target: &Target| match target.stream_key() {
            Some(key) => url.contains(key.expose()),
            None => (loads_none || target.remember_key) && is_below(target).is_some(),
        };
        choices::may_be_kept(url) && !self.targets.list.iter().any(may_hold_key)
    }

    fn keep_wall(&mut self) {
        let mut wall = self.watch.wall();
        wall.retain(|(url, _)| self.may_keep(url));
        self.settings.wall = wall;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use crate::player::{Failure, FailureKind, PlayerMessage, Severity, State};
    use crate::studio::Remedy;
    use crate::studio::engine::handlers::live::tests::at_rest;
    use crate::studio::watch::viewport::Viewport;
    use crate::text::Problem;
    use crate::text::problem::problem;

    #[test]
    fn no_recent_address_contains_a_stream_key_even_if_the_key_is_not_loaded() {
        let (mut engine, _ends) = at_rest(None);
        let target = |id, server: &str, key: &str| Target {
            remember_key: true,
            ..Target::custom(id, server, Secret::new(key))
        };
        engine.targets.list = vec![
            target(1, "rtmp://one.example/app/key-of-one", ""),
            target(2, "rtmp://two.example/app", "key-of-two?test=true"),
            target(3, "rtmp://three.example/app", ""),
        ];
        for url in [
            "rtmp://play.example/app/key-of-one",
            "rtmp://play.example/app/key-of-two",
            "rtmp://three.example/app/anything",
        ] {
            engine.remember_watched(url);
            assert!(engine.settings.recent.is_empty(), "{url}");
        }
        engine.remember_watched("rtmp://one.example/app/show");
        assert_eq!(engine.settings.recent, ["rtmp://one.example/app/show"]);
    }

    fn player_message(problem: Problem) -> StudioMessage {
        let (severity, detail) = (Severity::Warning, String::new());
        StudioMessage::Player(PlayerMessage { problem, severity, quiet: false, detail })
    }

    fn active_keys(engine: &Engine) -> Vec<&'static str> {
        engine.notices.active.notices().iter().map(|notice| notice.key()).collect()
    }

    #[test]
    fn a_speaker_that_is_back_ends_the_notice_about_it() {
        let (mut engine, _ends) = at_rest(None);
        let missing = problem!("player-no-speaker", problem = problem!("player-speaker-none"));
        engine.notices.raise(&player_message(missing), "");
        engine.notices.raise(&player_message(problem!("player-speaker-back")), "");
        assert_eq!(active_keys(&engine), ["player-speaker-back"]);
    }

    #[test]
    fn the_problems_of_a_tile_end_with_its_playback() {
        let (mut engine, _ends) = at_rest(None);
        let none = || ("/nowhere/none.flv".to_owned(), Viewport::default());
        engine.watch.restore(&[none(), none()]);
        let [first, second] = [TileId(0), TileId(1)];
        assert!(engine.watch.is_chosen(first));
        let failure = Failure::new(FailureKind::Lost, problem!("play-ended"));
        engine.tell_of_tile(first, Some(message(&failure, Some(first))));
        engine.tell_of_tile(second, Some(player_message(problem!("player-no-keyframe"))));
        engine.tell_of_tile(second, Some(player_message(problem!("player-saved", detail = "a"))));
        let of_both = ["watch-lost", "player-no-keyframe", "player-saved"];
        assert_eq!(active_keys(&engine), of_both);
        // The problem of another tile stays.
        engine.notices.take_back_of(first, &["player-no-keyframe"]);
        assert_eq!(active_keys(&engine), of_both);
        engine.handle_playing(WatchCommand::Remove(second));
        assert_eq!(active_keys(&engine), ["watch-lost", "player-saved"]);
        engine.watch.restore(&[none()]);
        engine.handle_playing(WatchCommand::Again(first));
        assert_eq!(active_keys(&engine), ["player-saved"]);
    }

    #[test]
    fn a_saved_stream_is_shown_and_played_like_a_recording() {
        let saved = player_message(problem!("player-saved", detail = "/home/ada/watched.flv"));
        assert_eq!(saved.remedies(), [Remedy::ShowRecording, Remedy::PlayRecording]);
        let file = saved.notice(1, "").file;
        assert_eq!(file.as_deref(), Some(std::path::Path::new("/home/ada/watched.flv")));
    }

    #[test]
    fn a_notice_about_two_players_ends_with_the_second_problem() {
        let (mut engine, _ends) = at_rest(None);
        let [first, second] = [TileId(0), TileId(1)];
        let key = "player-no-keyframe";
        for tile in [first, second, first] {
            engine.tell_of_tile(tile, Some(player_message(problem!("player-no-keyframe"))));
        }
        engine.notices.take_back_of(first, &[key]);
        assert_eq!(active_keys(&engine), [key]);
        engine.notices.take_back_of(second, &[key]);
        assert!(active_keys(&engine).is_empty());
    }

    #[test]
    fn the_problems_of_a_playback_end_with_it_but_not_those_of_its_file() {
        let (mut engine, _ends) = at_rest(None);
        let of_file = problem!("player-save-incomplete", detail = "Vorbis");
        for problem in [problem!("player-too-slow"), problem!("player-no-keyframe"), of_file] {
            engine.notices.raise(&player_message(problem), "");
        }
        engine.handle_watching(Command::StopWatching);
        assert_eq!(active_keys(&engine), ["player-save-incomplete"]);
    }

    #[test]
    fn the_end_of_a_file_ends_the_notices_about_its_progress() {
        let (mut engine, _ends) = at_rest(None);
        let [first, second] = [TileId(0), TileId(1)];
        for problem in [problem!("player-too-slow"), problem!("player-no-keyframe")] {
            engine.tell_of_tile(first, Some(player_message(problem)));
        }
        let both = ["player-too-slow", "player-no-keyframe"];
        engine.player_happened(first, player::Event::State(State::Playing));
        engine.player_happened(second, player::Event::State(State::Ended));
        assert_eq!(active_keys(&engine), both);
        engine.player_happened(first, player::Event::State(State::Ended));
        assert_eq!(active_keys(&engine), ["player-no-keyframe"]);
    }

    #[test]
    fn the_notices_of_a_playback_are_messages_of_players() {
        let known = |key: &&str| PlayerMessage::ALL_IDS.contains(key);
        assert!(Group::Playback.keys().iter().chain(Group::Progress.keys()).all(known));
    }
}
