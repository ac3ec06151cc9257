//! The guests of the show: their places, their states, and what each of them hears. Runs on the studio's thread.
//!
//! A guest is on air exactly while a scene's source shows the guest. In the lobby there is no such source, so nothing of
//! the guest can reach the program. A mixer strip follows the source, and a mix without this strip goes back to the guest.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::audio::AudioChoice;
use crate::base::Timestamp;
use crate::base::queue::{self, Full};
use crate::capture::VideoChoice;
use crate::capture::text::Content;
use crate::compose::scene::{ItemId, Placement};
use crate::mix::StripId;
use crate::server::guests::{GuestState, GuestView};
use crate::server::{MeetingPlace, MeetingState, Server};
use crate::studio::command::GuestCommand;
use crate::studio::engine::Engine;
use crate::studio::engine::server::BuiltIn;
use crate::studio::engine::server::guest_desk::{GuestDesk, KnownGuest};
use crate::studio::event::{Event, Guest};
use crate::studio::mixer::{AudioStrip, TalkMode};
use crate::studio::notices::message::StudioMessage;
use crate::studio::scenes::Source;
use crate::studio::scenes::edits::Edit;
use crate::studio::scenes::guest_tile::corner;
use crate::studio::snapshot::{GuestFigures, GuestPreview};
use crate::studio::targets::sharing::{self, ServerReach};
use crate::text::Problem;

/// Maximum number of audio blocks (10 ms) that wait for the encoder of a guest.
const MAX_QUEUED_BLOCKS: usize = 16;

/// Returns the number in the id of a guest.
fn number(id: &str) -> u32 {
    id.trim_start_matches(|it: char| !it.is_ascii_digit()).parse().unwrap_or_default()
}

impl BuiltIn {
    /// Lets up to this many guests join, also across the internet if there is a server where they meet the studio.
    pub fn with_guests(self, most: usize, meeting: Option<Arc<MeetingPlace>>) -> Self {
        let mut desk = GuestDesk::new(most);
        if let Some(guests) = &desk.guests {
            guests.set_meeting(meeting.clone());
        }
        desk.meeting = meeting;
        Self { desk, ..self }
    }

    /// Sets the server at which guests across the internet meet the studio, and opens the port of WebRTC for them.
    ///
    /// # Errors
    /// Fails if the port cannot move. The studio connects to the server all the same.
    pub fn set_meeting(
        &mut self,
        meeting: Option<Arc<MeetingPlace>>,
    ) -> Result<(), Box<StudioMessage>> {
        let was_open = self.reach.http || self.desk.meeting.is_some();
        let is_open = self.reach.http || meeting.is_some();
        if let Some(guests) = &self.desk.guests {
            guests.set_meeting(meeting.clone());
        }
        (self.desk.meeting, self.desk.meeting_state) = (meeting, MeetingState::default());
        if let Some(server) = self.server.as_mut().filter(|_| was_open != is_open)
            && let Some(address) = server.addresses().webrtc
            && let Err(error) =
                server.move_webrtc_port(ServerReach::listen(is_open, address.port()))
        {
            let reason = Problem::from(&error);
            return Err(Box::new(StudioMessage::ServerNotMoved { reason }));
        }
        Ok(())
    }

    /// Returns the link of a guest, if the server runs: that of the server on the internet, or one over HTTPS if possible, because browsers give a page on another
    /// computer no camera otherwise.
    fn guest_link(&self, view: &GuestView) -> Option<String> {
        let addresses = self.server.as_ref().map(Server::addresses)?;
        if let Some(meeting) = &self.desk.meeting {
            return Some(meeting.link(&view.token));
        }
        let secure = addresses.https.map(|https| ("https", https));
        let (scheme, listens) = secure.or(addresses.http.map(|http| ("http", http)))?;
        let reached = self.networks.iter().find(|network| sharing::accepts(listens, network.ip));
        let ip = reached.filter(|_| !listens.ip().is_loopback()).map(|network| network.ip);
        let here = sharing::here(listens);
        let host = std::net::SocketAddr::new(ip.unwrap_or_else(|| here.ip()), here.port());
        Some(format!("{scheme}://{host}/guest/{}", view.token.expose()))
    }
}

impl Engine {
    pub fn handle_guest(&mut self, command: GuestCommand) {
        match command {
            GuestCommand::Invite => self.invite_guest(),
            GuestCommand::Meet(url, key) => self.set_meeting(&url, key),
            GuestCommand::List => {
                let ids: Vec<String> = self.built_in.desk.known.keys().cloned().collect();
                ids.iter().for_each(|id| self.tell_guest(id));
            }
            GuestCommand::Admit(id) => self.admit_guest(&id),
            GuestCommand::Dismiss(id) => self.dismiss_guest(&id),
            GuestCommand::Remove(id) => self.remove_guest(&id),
            GuestCommand::Mute(id, muted) => {
                if let Some(strip) = self.guest_strip(&id) {
                    self.with_strip(strip, |it| it.strip.muted = muted);
                }
            }
            GuestCommand::Tag(id, tagged) => self.tag_guest(&id, tagged),
            GuestCommand::Hide(id, hidden) => {
                self.edit_program(&self.settings.collection.hide_guest(&id, hidden));
            }
        }
    }

    fn invite_guest(&mut self) {
        if self.built_in.desk.guests.is_none() {
            return self.notices.raise(&StudioMessage::GuestsOff {}, "");
        }
        self.start_built_in_if_needed();
        let desk = &self.built_in.desk;
        let most = desk.most;
        let invited = desk.guests.as_ref().and_then(|guests| guests.invite(most));
        if invited.is_none() {
            let most = most.to_string();
            return self.notices.raise(&StudioMessage::GuestsFull { most }, "");
        }
        self.follow_guests();
    }

    /// Puts a guest on air: in the scene that viewers see, and in the mix.
    fn admit_guest(&mut self, id: &str) {
        let desk = &self.built_in.desk;
        let Some(known) = desk.known.get(id).filter(|known| known.state == GuestState::Lobby)
        else {
            return;
        };
        let (name, is_tagged) = (desk.shown_name(id), !known.is_untagged);
        let Some(scene) = self.settings.collection.program_scene().map(|scene| scene.id) else {
            return;
        };
        desk.write_names();
        let tile = self.settings.collection.guest_tile(id, &name, self.free_corner(), is_tagged);
        // As a part, so that the strip of an earlier guest does not return.
        self.edit_program(&Edit::Several(vec![Edit::Paste(scene, tile)]));
        if let Some(strip) = self.guest_strip(id) {
            // A guest without a picture is heard all the same.
            self.with_strip(strip, |it| {
                it.talk = TalkMode::Open;
                it.strip.muted = false;
            });
        }
        self.follow_guests();
    }

    /// Returns the first corner in which no guest is.
    fn free_corner(&self) -> Placement {
        let (collection, known) = (&self.settings.collection, self.built_in.desk.known.keys());
        let used: Vec<ItemId> = known.flat_map(|id| collection.guest_tiles(id)).collect();
        let is_free = |place: &Placement| {
            let is_there = |item: &ItemId| {
                collection
                    .item(*item)
                    .is_some_and(|it| (it.place.x, it.place.y) == (place.x, place.y))
            };
            !used.iter().any(is_there)
        };
        (0..4).map(corner).find(is_free).unwrap_or_else(|| corner(0))
    }

    /// Takes a guest off air, back into the lobby.
    fn dismiss_guest(&mut self, id: &str) {
        // In studio mode, the scenes and the program have items of their own.
        let tiles = self.settings.collection.guest_tiles(id).into_iter();
        let edits: Vec<Edit> = tiles.map(Edit::RemoveItem).collect();
        if !edits.is_empty() {
            let edit = Edit::Several(edits);
            self.edit_program(&edit);
            self.edit(&edit);
        }
        // The strips of a source that no scene shows are gone too.
        while let Some(strip) = self.guest_strip(id) {
            self.remove_strip(strip);
            if self.guest_strip(id) == Some(strip) {
                break;
            }
        }
        self.follow_guests();
    }

    /// Shows or hides the name tag of a guest.
    fn tag_guest(&mut self, id: &str, tagged: bool) {
        let Some(known) = self.built_in.desk.known.get_mut(id) else { return };
        known.is_untagged = !tagged;
        let tags = self.settings.collection.guest_tags(id).into_iter();
        let edits: Vec<Edit> = tags.map(|item| Edit::HideItem(item, !tagged)).collect();
        if !edits.is_empty() {
            self.edit_program(&Edit::Several(edits));
        }
        self.tell_guest(id);
    }

    /// Returns true if a guest has a name tag, or will have one on air.
    fn is_tagged(&self, id: &str, known: &KnownGuest) -> bool {
        let collection = &self.settings.collection;
        if collection.guest_videos(id).is_empty() {
            return !known.is_untagged;
        }
        let is_visible = |item: &ItemId| collection.item(*item).is_some_and(|it| !it.hidden);
        collection.guest_tags(id).iter().any(is_visible)
    }

    fn remove_guest(&mut self, id: &str) {
        let guests = self.built_in.desk.guests.clone();
        if guests.is_some_and(|guests| guests.remove(id)) {
            self.dismiss_guest(id);
        }
    }

    /// Ends the places of all guests: the show is over.
    pub fn end_guests(&mut self) {
        let ids: Vec<String> = self.built_in.desk.known.keys().cloned().collect();
        ids.iter().for_each(|id| self.remove_guest(id));
    }

    /// Removes the guests of an earlier show, or of another collection, from the scenes: only a click puts a guest on air.
    pub fn forget_earlier_guests(&mut self) {
        let earlier: Vec<String> =
            self.settings.collection.sources.iter().filter_map(of_guest).collect();
        for id in &earlier {
            let tiles = self.settings.collection.guest_tiles(id).into_iter();
            let edits = tiles.map(Edit::RemoveItem).collect();
            self.settings.collection.apply(&Edit::Several(edits));
        }
        self.settings.strips.retain(|it| !matches!(it.choice, AudioChoice::Guest(_)));
    }

    /// Returns true if viewers can see or hear a guest.
    fn is_guest_shown(&self, id: &str) -> bool {
        let settings = &self.settings;
        let is_seen = |choice: &VideoChoice| matches!(choice, VideoChoice::Guest(of) if of == id);
        settings.collection.sources.iter().any(|it| is_seen(&it.choice))
            || settings.video.as_ref().is_some_and(is_seen)
            || matches!(&settings.audio, Some(AudioChoice::Guest(of)) if of == id)
            || self.guest_strip(id).is_some()
    }

    fn guest_strip(&self, id: &str) -> Option<StripId> {
        let is_it = |it: &&AudioStrip| matches!(&it.choice, AudioChoice::Guest(of) if of == id);
        self.settings.strips.iter().find(is_it).map(|it| it.id)
    }

    /// Looks at the guests: reports their states, and gives each of them the program without the own voice.
    pub fn follow_guests(&mut self) {
        self.follow_meeting();
        let Some(guests) = self.built_in.desk.guests.clone() else { return };
        let is_publishing = self.live.is_publishing();
        let was = std::mem::replace(&mut self.built_in.desk.was_publishing, is_publishing);
        if was && !is_publishing {
            self.end_guests();
        }
        let views = guests.views();
        let gone = |id: &&String| views.iter().all(|view| view.id != **id);
        let left: Vec<String> = self.built_in.desk.known.keys().filter(gone).cloned().collect();
        for id in left {
            self.set_mix_minus(&id, None);
            if let Some(known) = self.built_in.desk.known.get_mut(&id) {
                known.state = GuestState::Left;
            }
            self.tell_guest(&id);
            self.built_in.desk.known.remove(&id);
        }
        for view in views {
            let is_shown = self.is_guest_shown(&view.id);
            let state = match (view.is_present, is_shown, view.connections) {
                (true, true, _) => GuestState::OnAir,
                (true, false, _) => GuestState::Lobby,
                (false, _, 0) => GuestState::Invited,
                (false, ..) => GuestState::Away,
            };
            let id = view.id.clone();
            guests.set_state(&id, state, is_shown);
            let mix_for = view.is_present.then(|| (view.connections, self.guest_strip(&id)));
            let known = self.built_in.desk.known.entry(id.clone());
            let is_new = matches!(known, Entry::Vacant(_));
            let known = known.or_default();
            let is_changed = is_new || known.state != state || known.view.name != view.name;
            let is_heard_anew = known.mix_for != mix_for;
            (known.view, known.state) = (view, state);
            if is_heard_anew
                && self.set_mix_minus(&id, mix_for.map(|(_, strip)| strip))
                && let Some(known) = self.built_in.desk.known.get_mut(&id)
            {
                known.mix_for = mix_for;
            }
            if is_changed {
                self.tell_guest(&id);
            }
        }
        self.built_in.desk.write_names();
        self.follow_guest_load();
    }

    /// The computer does not keep up, so guests are asked for less video.
    pub fn guests_too_much(&mut self) {
        let desk = &mut self.built_in.desk;
        let has_guests = desk.has_guests();
        if desk.load.slow(has_guests) {
            self.lower_guests();
        }
    }

    /// The computer keeps up again.
    pub fn guests_recovered(&mut self) {
        self.built_in.desk.load.recovered(self.clock.now());
    }

    /// The encoders end, or new ones start. What guests send is measured anew.
    pub fn guest_load_ended(&mut self) {
        self.built_in.desk.load.ended(self.clock.now());
    }

    /// Notes what the guests cost, once per second.
    pub fn count_guest_traffic(&mut self, now: Timestamp) {
        let has_guests = self.built_in.desk.has_guests();
        let server = self.built_in.server.as_ref().filter(|_| has_guests);
        let traffic = server.map(Server::guest_traffic).unwrap_or_default();
        self.built_in.desk.count_traffic(traffic, now);
    }

    fn lower_guests(&mut self) {
        if let Some(guests) = &self.built_in.desk.guests {
            guests.set_lowered(true);
        }
        self.notices.raise(&StudioMessage::GuestsLowered {}, "");
    }

    /// Asks guests who arrive during an overload for less video, and all of them for as much as before if the computer
    /// has kept up for long enough.
    fn follow_guest_load(&mut self) {
        let desk = &mut self.built_in.desk;
        let has_guests = desk.has_guests();
        if desk.load.arrived(has_guests) {
            return self.lower_guests();
        }
        let is_used = desk.has_used_places();
        if !desk.load.is_over(self.clock.now(), is_used) {
            return;
        }
        if let Some(guests) = &desk.guests {
            guests.set_lowered(false);
        }
        self.notices.take_back("guests-lowered");
    }

    /// Reports whether guests across the internet can reach the studio.
    fn follow_meeting(&mut self) {
        let desk = &mut self.built_in.desk;
        let Some(meeting) = desk.meeting.as_ref().filter(|_| self.built_in.server.is_some()) else {
            return;
        };
        let (state, host) = (meeting.state(), meeting.host());
        if state == desk.meeting_state {
            return;
        }
        match &state {
            MeetingState::Lost(reason) => {
                let reason = reason.clone();
                self.notices.raise(&StudioMessage::MeetingLost { host, reason }, "");
            }
            MeetingState::Connected => {
                let was_lost = matches!(desk.meeting_state, MeetingState::Lost(_));
                if was_lost {
                    self.notices.raise(&StudioMessage::MeetingBack { host }, "");
                }
            }
            MeetingState::Connecting => {}
        }
        self.built_in.desk.meeting_state = state;
    }

    /// Sends a guest the program without this strip, or nothing any more. Returns false if there is no mixer.
    fn set_mix_minus(&self, id: &str, without: Option<Option<StripId>>) -> bool {
        let Some(program) = &self.state.program else { return false };
        let mix = without.map(|strip| {
            let (mix, blocks) = queue::bounded("guest audio", MAX_QUEUED_BLOCKS, Full::DropOldest);
            if let Some(server) = &self.built_in.server {
                server.serve_guest_audio(id, blocks);
            }
            (strip, mix)
        });
        program.mixer().set_mix_minus(number(id), mix);
        true
    }

    fn tell_guest(&mut self, id: &str) {
        let Some(known) = self.built_in.desk.known.get(id) else { return };
        let is_invited = known.state == GuestState::Invited;
        let link = is_invited.then(|| self.built_in.guest_link(&known.view)).flatten();
        let GuestView { name, rtt, loss, .. } = known.view.clone();
        let (id, state, tagged) = (id.to_owned(), known.state, self.is_tagged(id, known));
        let guest = Guest { id, name, state, link, rtt, loss, tagged };
        self.notices.send_event(Event::Guest(guest));
    }

    /// Returns what the camera of a guest shows. On the command line, nobody would see it.
    fn guest_preview(&self, state: GuestState, id: &str) -> Option<GuestPreview> {
        let is_there = matches!(state, GuestState::Lobby | GuestState::OnAir);
        let is_shown = is_there && !self.config.calm;
        let server = self.built_in.server.as_ref().filter(|_| is_shown)?;
        server.guest_image(id).map(GuestPreview)
    }

    /// Returns the guests for the snapshot.
    pub fn guest_figures(&self) -> Vec<GuestFigures> {
        let strip_of = |id: &str| {
            let strip = self.guest_strip(id)?;
            self.settings.strips.iter().find(|it| it.id == strip)
        };
        let figures = |(id, known): (&String, &KnownGuest)| {
            let strip = strip_of(id);
            let collection = &self.settings.collection;
            let is_hidden = |item: &ItemId| collection.item(*item).is_some_and(|it| it.hidden);
            let first = collection.guest_tiles(id).first().is_some_and(is_hidden);
            GuestFigures {
                id: id.clone(),
                name: known.view.name.clone(),
                state: known.state,
                link: self.built_in.guest_link(&known.view).unwrap_or_default(),
                rtt: known.view.rtt,
                loss: known.view.loss,
                strip: strip.map(|it| it.id),
                muted: strip.is_some_and(|it| it.strip.muted),
                hidden: first || collection.guest_videos(id).first().is_some_and(is_hidden),
                tagged: self.is_tagged(id, known),
                preview: self.guest_preview(known.state, id),
            }
        };
        self.built_in.desk.known.iter().map(figures).collect()
    }
}

/// Returns the guest whose video or name a source shows.
fn of_guest(source: &Source) -> Option<String> {
    match &source.choice {
        VideoChoice::Guest(id) | VideoChoice::Text(Content::GuestName(id)) => Some(id.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::server::guests::Guests;
    use crate::studio::engine::handlers::live::tests::{at_rest, end, with_program};
    use crate::studio::notices::Level;

    #[test]
    fn guests_of_an_earlier_show_are_in_no_scene_and_in_no_mix() {
        let (mut engine, _ends) = at_rest(None);
        let scene = engine.settings.collection.current;
        let choice = VideoChoice::Guest("g1".into());
        let added = Edit::AddSource { scene, name: "Ada".into(), choice };
        assert!(engine.settings.collection.apply(&added));
        engine.settings.strips.push(AudioStrip::new(StripId(7), AudioChoice::Guest("g1".into())));
        assert_eq!(
            (engine.settings.collection.guest_tiles("g1").len(), engine.guest_strip("g1")),
            (1, Some(StripId(7)))
        );
        engine.forget_earlier_guests();
        assert!(!engine.is_guest_shown("g1"));
    }

    /// Gives a studio places for guests.
    fn with_places(mut engine: Engine) -> (Engine, Arc<Guests>) {
        engine.built_in.desk = GuestDesk::new(1);
        let guests = engine.built_in.desk.guests.clone().unwrap();
        (engine, guests)
    }

    /// The guest opens the link, or the connection of the guest ends.
    fn connect(engine: &mut Engine, is_present: bool) {
        let view =
            GuestView { id: "g1".into(), is_present, connections: 1, ..GuestView::default() };
        let known = KnownGuest { view, ..KnownGuest::default() };
        engine.built_in.desk.known.insert("g1".into(), known);
    }

    fn is_told(engine: &Engine) -> bool {
        let mut active = engine.notices.active.notices().iter();
        // An informational notice would go after some seconds.
        active.any(|it| it.key() == "guests-lowered" && it.level == Level::Warning)
    }

    #[test]
    fn guests_are_asked_for_less_video_while_the_computer_does_not_keep_up() {
        let (engine, _ends) = at_rest(None);
        let (mut engine, guests) = with_places(engine);
        engine.guests_too_much();
        assert!(!guests.is_lowered(), "there is no guest");
        connect(&mut engine, true);
        engine.guests_too_much();
        assert!(guests.is_lowered() && is_told(&engine));
        engine.notices.active.fold_old();
        engine.built_in.desk.known.clear();
        engine.follow_guest_load();
        assert!(!guests.is_lowered() && !is_told(&engine));
    }

    #[test]
    fn guests_who_arrive_or_return_while_the_computer_does_not_keep_up_send_less_video() {
        let (engine, _ends) = at_rest(None);
        let (mut engine, guests) = with_places(engine);
        engine.guests_too_much();
        connect(&mut engine, true);
        engine.follow_guest_load();
        assert!(guests.is_lowered() && is_told(&engine), "a guest has arrived");
        connect(&mut engine, false);
        engine.follow_guest_load();
        connect(&mut engine, true);
        engine.follow_guest_load();
        assert!(guests.is_lowered() && is_told(&engine), "the guest has reloaded the page");
        engine.built_in.desk.known.clear();
        engine.follow_guest_load();
        assert!(!guests.is_lowered() && !is_told(&engine), "the guest was removed");
        connect(&mut engine, true);
        engine.follow_guest_load();
        assert!(guests.is_lowered() && is_told(&engine), "another guest has arrived");
    }

    #[test]
    fn guests_send_as_much_as_before_after_an_overloaded_recording() {
        let (engine, _ends) = with_program(None);
        let (mut engine, guests) = with_places(engine);
        connect(&mut engine, true);
        let much_later = |engine: &Engine| engine.clock.now() + Duration::from_secs(3_600);
        assert!(engine.begin_broadcast());
        engine.guests_too_much();
        let later = much_later(&engine);
        assert!(!engine.built_in.desk.load.is_over(later, true) && guests.is_lowered());
        engine.end_broadcast();
        let later = much_later(&engine);
        assert!(engine.built_in.desk.load.is_over(later, true), "the recording has ended");
        // The encoders of another recording count from zero, so nothing tells that an earlier overload is over.
        engine.guests_too_much();
        assert!(engine.begin_broadcast());
        let later = much_later(&engine);
        assert!(engine.built_in.desk.load.is_over(later, true), "another recording has begun");
        end(engine);
    }

    #[test]
    fn the_number_of_a_guest_is_in_the_id() {
        assert_eq!((number("g12"), number("x")), (12, 0));
    }
}
