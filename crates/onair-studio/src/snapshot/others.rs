//! The other programs that control onair or show its program.

use std::net::SocketAddr;

use crate::base::Secret;
use crate::capture::VirtualCameraState;
use crate::studio::settings::{RemoteChoices, VirtualCameraChoices};
use crate::text::Problem;

/// A program that controls onair remotely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteClient {
    pub address: SocketAddr,
    /// True after the client has sent the right password.
    pub is_identified: bool,
}

/// The state of remote control, as its network task reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteReport {
    /// The listening address; `None` while onair does not listen.
    pub address: Option<SocketAddr>,
    /// The reason why onair does not listen.
    pub problem: Option<Problem>,
    pub clients: Vec<RemoteClient>,
}

/// Remote control by other programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteControlView {
    pub choices: RemoteChoices,
    /// The password; `None` until it is loaded or made.
    pub password: Option<Secret>,
    pub report: RemoteReport,
}

/// The virtual camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualCameraView {
    pub choices: VirtualCameraChoices,
    pub state: VirtualCameraState,
}

impl VirtualCameraView {
    pub fn is_on(&self) -> bool {
        self.state != VirtualCameraState::Off
    }
}
