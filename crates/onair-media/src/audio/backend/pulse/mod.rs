//! Captures single applications through the PulseAudio protocol, which PipeWire also supports. This
//! module lists the playing applications, and records the streams of one application before the
//! server mixes them. (The library cpal supports only devices.)

mod capture;
mod link;
mod mixdown;
mod page_sink;

use pulseaudio::protocol::{ClientInfo, Command, Prop, Props, SinkInputInfo};

pub(super) use crate::audio::backend::pulse::capture::record;
use crate::audio::backend::pulse::link::Link;
pub use crate::audio::backend::pulse::page_sink::PageSink;
use crate::audio::source::ApplicationInfo;
use crate::audio::system::Fault;

/// Returns true if this session has an audio server. It may not answer.
pub fn has_server() -> bool {
    pulseaudio::socket_path_from_env().is_some()
}

/// Returns true if an audio server answers.
pub(super) fn answers() -> bool {
    Link::connect().is_ok()
}

/// A connection to the audio server for repeated polling.
#[derive(Default)]
pub(super) struct PolledLink(Option<Link>);

impl PolledLink {
    /// Returns the applications that are connected to the server, playing ones first.
    pub(super) fn applications(&mut self) -> Result<Vec<ApplicationInfo>, Fault> {
        let mut link = match self.0.take() {
            Some(link) => link,
            None => Link::connect()?,
        };
        // A failed connection is not kept: the server may have been restarted.
        let found = applications(&mut link)?;
        self.0 = Some(link);
        Ok(found)
    }
}

fn applications(link: &mut Link) -> Result<Vec<ApplicationInfo>, Fault> {
    let mut aside = |_: link::ServerMessage<'_>| ();
    let inputs: Vec<SinkInputInfo> = link.list(&Command::GetSinkInputInfoList, &mut aside)?;
    let clients: Vec<ClientInfo> = link.list(&Command::GetClientInfoList, &mut aside)?;
    let playing = inputs.iter().filter_map(|input| Owner::of(&input.props));
    let playing = playing.map(|owner| (owner, true));
    let idle = clients.iter().filter_map(|client| Owner::of(&client.props));
    let all = playing.chain(idle.map(|owner| (owner, false)));
    Ok(ApplicationInfo::listed(all.map(|(owner, playing)| {
        let Owner { name, program } = owner;
        ApplicationInfo { name, program, playing }
    })))
}

/// The owner of a stream.
#[derive(Debug)]
struct Owner {
    name: String,
    program: String,
}

impl Owner {
    /// Returns the owner of a stream. Returns `None` for an owner without a name, and for onair
    /// itself, to avoid an echo.
    fn of(props: &Props) -> Option<Self> {
        let text = |prop: Prop| props.get(prop).map(text_of).unwrap_or_default();
        if text(Prop::ApplicationProcessId) == std::process::id().to_string() {
            return None;
        }
        let program = text(Prop::ApplicationProcessBinary);
        let name = Some(text(Prop::ApplicationName)).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| program.clone());
        (!name.is_empty()).then_some(Self { name, program })
    }
}

/// Returns the text before the zero byte that ends each of the server's strings.
fn text_of(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_have_a_name_and_are_not_ourselves() {
        let mut props = Props::new();
        assert!(Owner::of(&props).is_none());
        props.set(Prop::ApplicationProcessBinary, c"game");
        assert_eq!(Owner::of(&props).unwrap().name, "game");
        props.set(Prop::ApplicationName, c"A \x07Game");
        let owner = Owner::of(&props).unwrap();
        assert_eq!((owner.name.as_str(), owner.program.as_str()), ("A Game", "game"));
        assert!(Owner::of(&link::own_props()).is_none());
    }
}
