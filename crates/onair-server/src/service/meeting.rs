//! Connects to the server at which guests meet the studio, or is such a server.

use std::sync::Arc;

use crate::net::Runtime;
use crate::server::http::webrtc::meeting::studio;
use crate::server::registry::Registry;
use crate::server::registry::config::Config;

/// Begins what the configuration says.
pub(super) fn begin(runtime: &Runtime, registry: &Arc<Registry>) {
    if registry.config.meeting.is_some() {
        registry.webrtc.public.answer_others();
    }
    if let Some(guests) = registry.config.guests.clone() {
        runtime.spawn(studio::run(Arc::clone(registry), guests));
    }
}

/// Returns true if studios need another key, or may meet their guests in one configuration only.
pub(super) fn differs(one: &Config, other: &Config) -> bool {
    let key = |it: &Config| it.meeting.as_ref().map(|meeting| meeting.key().clone());
    key(one) != key(other)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crate::base::{Clock, Secret};
    use crate::net::{Options, Runtime};
    use crate::server::registry::config::{Config, Listen};
    use crate::server::registry::guests::Guests;
    use crate::server::registry::meeting::meeting_place::MeetingPlace;
    use crate::server::registry::meeting::{Meeting, NoStudio};
    use crate::server::service::Server;

    #[test]
    fn the_links_of_a_studio_that_disconnects_are_dead_at_once() {
        let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
        let runtime = Runtime::start().unwrap();
        let start = |config: Config| {
            let config = Config { rtmp: any, http: Some(any), webrtc: Some(any), ..config };
            Server::start(&runtime, Clock::start(), config).unwrap()
        };
        let key = Secret::new("the key of the meeting");
        let meeting = Arc::new(Meeting::new(key.clone()));
        let guests = Arc::new(Guests::new().unwrap());
        let token = guests.invite(1).unwrap().token;
        let hall = start(Config { meeting: Some(Arc::clone(&meeting)), ..Config::default() });
        let _studio = start(Config { guests: Some(Arc::clone(&guests)), ..Config::default() });
        let wait_for = |expected: Option<NoStudio>| {
            let deadline = Instant::now() + Duration::from_secs(20);
            let found = || meeting.studio(token.expose(), Instant::now()).err();
            while found() != expected {
                assert!(Instant::now() < deadline, "{:?}", found());
                std::thread::sleep(Duration::from_millis(200));
            }
        };
        let url = format!("http://{}", hall.addresses().http.unwrap());
        guests.set_meeting(MeetingPlace::new(&url, key, Options::default()).ok());
        wait_for(None);
        guests.set_meeting(None);
        wait_for(Some(NoStudio::Unknown));
    }
}
