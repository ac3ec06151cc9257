//! A sink that nobody hears, for the audio of one browser page. Its monitor is a source of the mixer.

use std::ffi::CString;

use pulseaudio::protocol::{
    Command, LoadModuleParams, ProtocolError, TagStructRead, TagStructReader,
};

use crate::audio::backend::pulse::link::{Link, ServerMessage};
use crate::audio::system::Fault;

/// The answer of the server: the number of the module.
struct ModuleIndex(u32);

impl TagStructRead for ModuleIndex {
    fn read(ts: &mut TagStructReader<'_>, _version: u16) -> Result<Self, ProtocolError> {
        ts.read_u32().map(Self)
    }
}

/// A sink of the audio server. Dropping it removes the sink.
pub struct PageSink {
    link: Link,
    module: u32,
}

impl std::fmt::Debug for PageSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageSink").field("module", &self.module).finish_non_exhaustive()
    }
}

impl PageSink {
    /// Creates a sink with this name, which consists of letters, digits and hyphens. Returns `None`
    /// if no audio server answers, or it has no such sinks.
    pub fn open(name: &str) -> Option<Self> {
        let opened = Self::create(name);
        opened.inspect_err(|fault| tracing::debug!(%fault, "a page has no sink")).ok()
    }

    fn create(name: &str) -> Result<Self, Fault> {
        let plain = name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
        let broken = || Fault::Other("a bad name".to_owned());
        let text = |text: String| CString::new(text).map_err(|_| broken());
        let arguments = format!(
            "sink_name={name} rate=48000 channels=2 sink_properties=device.description={name}"
        );
        if !plain {
            return Err(broken());
        }
        let mut link = Link::connect()?;
        let load = Command::LoadModule(LoadModuleParams {
            name: text("module-null-sink".to_owned())?,
            arguments: Some(text(arguments)?),
        });
        let ModuleIndex(module) = link.ask(&load, &mut |_: ServerMessage<'_>| ())?;
        Ok(Self { link, module })
    }
}

impl Drop for PageSink {
    fn drop(&mut self) {
        let removed = self.link.order(&Command::UnloadModule(self.module), &mut |_| ());
        if let Err(fault) = removed {
            tracing::debug!(%fault, "removing a page's sink failed");
        }
    }
}
