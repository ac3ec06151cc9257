//! The settings file of the engine: decides when it is written, and stores earlier versions. A
//! separate thread writes.

pub(in crate::engine) mod parts;
pub(in crate::engine) mod resume;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::base::queue::Closed;
use crate::studio::engine::settings_file::writer::{FileWriter, TaskResult};
use crate::studio::settings::lock::{Claimed, SettingsLock};
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::on_air::OnAirMark;
use crate::studio::settings::part::versions::Versions;
use crate::studio::settings::{Settings, WriteError, services_beside, write_services};
use crate::studio::snapshot::PartsView;
use crate::studio::targets::services::Service;

/// Settings are written this long after the last change.
const SAVE_DELAY: Duration = Duration::from_millis(800);

/// Settings that could not be written are written again after this time.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// Changes within this time after an earlier version count as one change.
const VERSION_MERGE_WINDOW: Duration = Duration::from_secs(120);

/// The longest time for which a player window waits for another window that writes the same
/// settings.
const PLAYER_LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// The settings file; see the module documentation.
#[derive(Debug)]
pub struct SettingsFile {
    /// The path; `None` means that nothing is saved.
    pub path: Option<PathBuf>,
    /// The settings file for changes of the players, and the settings that it contained at first.
    pub players: Option<(PathBuf, Settings)>,
    /// True if the user's own services differ from those that were last written.
    pub services_changed: bool,
    /// The existing collections and profiles, for the window.
    pub view: Arc<PartsView>,
    /// The record of the running broadcast.
    pub on_air: OnAirFile,
    save_at: Option<Timestamp>,
    /// True if the scheduled write repeats one that failed.
    is_retry: bool,
    /// The collection and the profile as last written.
    written: Vec<WrittenPart>,
    writer: FileWriter,
    /// The running save. The next one waits for its result, and then has all changes since.
    saving: TaskResult<SaveResult>,
}

/// A save, with the reason if it failed.
type SaveResult = (Result<(), WriteError>, SettingsSave);

/// The file that records the running broadcast, and the record of an earlier run.
#[derive(Debug, Default)]
pub struct OnAirFile {
    /// The path; `None` means that nothing is recorded.
    pub path: Option<PathBuf>,
    pub written: Option<OnAirMark>,
    /// The record of an earlier run.
    pub left: Option<OnAirMark>,
    /// True after the user resumed that broadcast, until it begins or going live fails.
    pub is_resuming: bool,
    /// The running change of the file, whose result is the record as written.
    change: TaskResult<Option<OnAirMark>>,
}

/// A collection or profile as last written.
#[derive(Clone, Debug)]
struct WrittenPart {
    kind: PartKind,
    name: String,
    text: String,
    /// The time at which a version of the part was last stored.
    kept_at: Option<Timestamp>,
}

impl WrittenPart {
    fn of(kind: PartKind, settings: &Settings) -> Option<Self> {
        let name = settings.in_use.name(kind).to_owned();
        Some(Self { kind, name, text: kind.text_of(settings).ok()?, kept_at: None })
    }
}

impl SettingsFile {
    pub fn new(
        path: Option<PathBuf>,
        players: Option<(PathBuf, Settings)>,
        on_air: Option<PathBuf>,
    ) -> Self {
        Self {
            path,
            players,
            services_changed: false,
            view: Arc::default(),
            on_air: OnAirFile { path: on_air, ..OnAirFile::default() },
            save_at: None,
            is_retry: false,
            written: Vec::new(),
            writer: FileWriter::default(),
            saving: TaskResult::default(),
        }
    }

    /// Lets the disk hang: tasks wait until the returned value is dropped.
    #[cfg(test)]
    pub fn hang(&mut self) -> crate::base::queue::Sender<()> {
        use crate::base::queue::{Full, bounded};
        let (held, hold) = bounded("hang", 1, Full::Block);
        self.writer.begin(&mut TaskResult::default(), move || hold.recv());
        held
    }

    /// Returns the collections and profiles in the folder of the settings file.
    pub fn parts(&self) -> Option<PartFiles> {
        self.path.as_deref().map(PartFiles::beside)
    }

    /// Records settings that were read or written, so that later changes create versions.
    pub fn begin_versions(&mut self, settings: &Settings) {
        if self.path.is_some() {
            let all = PartKind::ALL.iter();
            self.written = all.filter_map(|kind| WrittenPart::of(*kind, settings)).collect();
        }
    }

    /// Returns true if a profile that is not in use needs this stream key.
    pub fn is_key_kept_for_parked(&self, name: &str) -> bool {
        self.parts().is_some_and(|parts| parts.mention_key(name))
    }

    /// Returns true if this keyring entry of a source that was deleted is still needed. The entry
    /// is then listed, so that it is deleted together with the last version that contains it.
    pub fn keeps_deleted(&self, name: &str) -> bool {
        let Some(parts) = self.parts() else { return false };
        // The collection as last written becomes a version.
        let mut collections = self.written.iter().filter(|it| it.kind == PartKind::Collection);
        let needed = collections.any(|it| it.text.contains(name)) || parts.mention(name);
        if needed {
            parts.list_entry(name);
        }
        needed
    }

    /// Schedules a write.
    pub fn changed(&mut self, now: Timestamp) {
        if self.path.is_some() || self.players.is_some() {
            (self.save_at, self.is_retry) = (Some(now + SAVE_DELAY), false);
        }
    }

    /// Schedules another write after a failure, unless a change since then has scheduled one.
    pub fn retry(&mut self, now: Timestamp) {
        if self.save_at.is_none() {
            (self.save_at, self.is_retry) = (Some(now + RETRY_INTERVAL), true);
        }
    }

    /// Returns true if the write is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.save_at.is_some_and(|at| now >= at)
    }

    /// Returns true, once, if there is something to write.
    pub fn take_due(&mut self) -> bool {
        self.save_at.take().is_some()
    }

    /// Returns true if a save is running.
    pub fn is_saving(&self) -> bool {
        self.saving.is_pending()
    }

    /// Begins to write the settings, and the user's own services if they have changed.
    pub fn begin_save(&mut self, settings: &Settings, services: &[Service], now: Timestamp) {
        let changed = self.path.as_deref().filter(|_| self.services_changed);
        let save = SettingsSave {
            settings: settings.clone(),
            path: self.path.clone(),
            players: self.players.clone(),
            services: changed.map(|path| (services_beside(path), services.to_vec())),
            written: self.written.clone(),
            is_retry: self.is_retry,
            now,
        };
        self.writer.begin(&mut self.saving, move || save.execute());
    }

    /// Takes the result of the running save, and waits for it for at most `limit`. Also returns
    /// whether the save repeated one that had failed. `services` are the user's own services now.
    pub fn take_saved(
        &mut self,
        limit: Duration,
        services: &[Service],
    ) -> Option<(Result<(), WriteError>, bool)> {
        match self.saving.take(limit)? {
            Ok((result, save)) => {
                (self.written, self.players) = (save.written, save.players);
                if let Some((_, written)) = save.services {
                    self.services_changed = services != written.as_slice();
                }
                Some((result, save.is_retry))
            }
            Err(Closed) => {
                let path = self.path.clone().unwrap_or_default();
                let cause = io::Error::other("the thread that writes them has failed");
                Some((Err(WriteError { path, cause }), false))
            }
        }
    }

    /// Begins to write the record of the running broadcast to `path`, unless it is there already.
    fn begin_mark(&mut self, path: PathBuf, mark: OnAirMark) {
        let written = self.on_air.written.clone();
        self.writer.begin(&mut self.on_air.change, move || {
            let is_new = written.as_ref() != Some(&mark);
            // Another broadcast with the same settings keeps its record until it ends.
            if !is_new && path.exists() || OnAirMark::is_in_use(&path) {
                return written;
            }
            if let Err(error) = mark.write(&path)
                && is_new
            {
                tracing::warn!(%error, "writing the on-air note failed");
            }
            Some(mark)
        });
    }

    /// Begins to remove the record of the broadcast.
    fn remove_mark(&mut self) {
        self.on_air.written = None;
        if let Some(path) = self.on_air.path.clone() {
            self.writer.begin(&mut self.on_air.change, move || {
                OnAirMark::remove(&path);
                None
            });
        }
    }

    /// Waits for the running change of the record, at most `limit`. Returns true if none is running
    /// any more.
    fn finish_mark(&mut self, limit: Duration) -> bool {
        if let Some(Ok(written)) = self.on_air.change.take(limit) {
            self.on_air.written = written;
        }
        !self.on_air.change.is_pending()
    }
}

/// The data of a save, which the thread returns with its changes.
#[derive(Debug)]
struct SettingsSave {
    settings: Settings,
    path: Option<PathBuf>,
    players: Option<(PathBuf, Settings)>,
    /// The changed services, and their file; `None` after writing them has failed.
    services: Option<(PathBuf, Vec<Service>)>,
    written: Vec<WrittenPart>,
    is_retry: bool,
    now: Timestamp,
}

impl SettingsSave {
    fn execute(mut self) -> SaveResult {
        let services = self.write_services();
        if services.is_err() {
            self.services = None;
        }
        (self.write().and(services), self)
    }

    fn write_services(&self) -> Result<(), WriteError> {
        let Some((path, own)) = &self.services else { return Ok(()) };
        write_services(path, own).map_err(|cause| WriteError { path: path.clone(), cause })
    }

    fn write(&mut self) -> Result<(), WriteError> {
        match (&self.path, &mut self.players) {
            (Some(path), _) => {
                let versions = PartFiles::beside(path).versions();
                self.settings.write(path)?;
                self.keep_versions(&versions);
                Ok(())
            }
            (None, Some((path, began))) => {
                // The window of the studio has the settings open, and its changes must not be lost.
                let claimed = SettingsLock::claim(path, PLAYER_LOCK_TIMEOUT);
                let Ok(Claimed::Ours(_lock)) = claimed else {
                    let cause = io::Error::other("another onair process has these settings open");
                    return Err(WriteError { path: path.clone(), cause });
                };
                self.settings.write_player(began, path)?;
                began.clone_from(&self.settings);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// Stores a version of the previous state, unless the change continues a recent one.
    fn keep_versions(&mut self, versions: &Versions) {
        let now = self.now;
        for part in &mut self.written {
            let Some(new) = WrittenPart::of(part.kind, &self.settings) else { continue };
            if new.text == part.text {
                continue;
            }
            let apart = part.kept_at.is_none_or(|at| now.since(at) > VERSION_MERGE_WINDOW);
            if apart && new.name == part.name {
                match versions.add(part.kind, &part.name, &part.text) {
                    Ok(()) => part.kept_at = Some(now),
                    Err(error) => tracing::warn!(%error, "saving an earlier version failed"),
                }
            }
            *part = WrittenPart { kept_at: part.kept_at, ..new };
        }
    }
}
