//! Windows can confine only whole processes, and onair still decodes in its own. So nothing is
//! restricted here, and the log says so.

use std::path::Path;
use std::sync::Once;

static REPORTED: Once = Once::new();

fn report() {
    REPORTED.call_once(|| tracing::info!("not on this system: decoders are not confined"));
}

/// Does nothing: crash reports can be written anyway.
pub fn crash_folder(_folder: &Path) {}

/// Reports that this system does not restrict the process.
pub fn process() {
    report();
}

/// Reports that this system does not restrict files.
pub fn files(_named: &[&Path]) {
    report();
}

/// Returns false: this system refuses no folder.
pub fn is_replaced(_path: &Path) -> bool {
    false
}

/// Reports that this system does not restrict the thread.
pub fn video_decoder() {
    report();
}

/// Reports that this system does not restrict the thread.
pub fn audio_decoder() {
    report();
}
