//! The virtual camera in a private session of PipeWire, in which GStreamer finds and uses the camera.

use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::peers::{self, LIMIT, Peer, wait_for};
use crate::session::Bus;

/// Returns the nodes of PipeWire with this name, as `pw-cli` prints them.
fn has_camera(bus: &Bus) -> bool {
    let listed = bus.command("pw-cli").args(["ls", "Node"]).output().unwrap().stdout;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    listed.contains("node.name = \"onair-virtual-camera\"") && listed.contains("Video/Source")
}

/// Returns the mean color of frames that GStreamer gets from the camera.
fn seen(bus: &Bus, size: &str) -> [u8; 3] {
    let file = bus.folder().join("seen.rgb");
    let (width, height) = size.split_once('x').unwrap();
    let line = format!(
        "-q pipewiresrc target-object=onair-virtual-camera num-buffers=15 do-timestamp=true ! \
         video/x-raw,format=YUY2,width={width},height={height} ! videoconvert ! \
         video/x-raw,format=RGB ! filesink location={}",
        file.display()
    );
    let mut peer = Peer::start_command(bus.command("gst-launch-1.0").args(line.split_whitespace()));
    peer.wait_success(LIMIT);
    let bytes = std::fs::read(&file).unwrap();
    let frame = width.parse::<usize>().unwrap() * height.parse::<usize>().unwrap() * 3;
    assert_eq!(bytes.len(), frame * 15, "15 whole frames");
    // The last frame, in its middle.
    let at = bytes.len() - frame / 2 - frame / 2 % 3 + 30;
    [bytes[at], bytes[at + 1], bytes[at + 2]]
}

#[test]
fn gstreamer_sees_the_program_in_the_camera_which_disappears_at_the_end() {
    let programs = ["dbus-daemon", "pipewire", "wireplumber", "gst-launch-1.0", "pw-cli"];
    if peers::missing(&programs) {
        return;
    }
    let bus = Bus::start();
    let _server = Peer::start_command(&mut bus.command("pipewire"));
    let socket = bus.folder().join("pipewire-0");
    wait_for("PipeWire", LIMIT, || UnixStream::connect(&socket).is_ok());
    let _manager = Peer::start_command(&mut bus.command("wireplumber"));
    let mut command: Command = bus.command(env!("CARGO_BIN_EXE_onair"));
    command.args(["live", "--video", "color:#00ff00", "--audio", "silence", "--size", "480x270"]);
    command.args(["--virtual-camera", "--json"]);
    let mut onair = Peer::start_command(&mut command);
    wait_for("the camera", LIMIT, || has_camera(&bus));
    let color = seen(&bus, "480x270");
    let near = color.iter().zip([0, 255, 0]).all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 40);
    assert!(near, "{color:?}");
    // A second program gets the camera after the first one has left it.
    seen(&bus, "480x270");
    onair.interrupt();
    assert!(onair.wait(LIMIT).success());
    wait_for("the end of the camera", LIMIT, || !has_camera(&bus));
}
