//! Handles the user's own services, and the successor server.

use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::{MAX_SERVICES, check_successor, services_beside, write_services};
use crate::studio::targets::services::{Service, ServiceList};

impl Engine {
    pub(in crate::studio::engine) fn put_service(&mut self, was: Option<&str>, service: &Service) {
        let mut own = self.services.own().to_vec();
        let mut at = own.iter().position(|known| was == Some(&*known.id));
        // Its new id may be that of another service, which it then replaces.
        let same = own.iter().position(|known| known.id == service.id);
        if let Some(same) = same.filter(|same| at.is_some_and(|at| at != *same)) {
            own.remove(same);
            at = own.iter().position(|known| was == Some(&*known.id));
        }
        match at.or(same) {
            Some(at) => {
                if let Some(place) = own.get_mut(at) {
                    *place = service.clone();
                }
            }
            None if own.len() >= MAX_SERVICES => return,
            None => own.push(service.clone()),
        }
        if let Some(was) = was {
            // Targets keep using the service under its new id.
            for target in self.targets.list.iter_mut().filter(|target| target.service == was) {
                target.service = service.id.to_string();
            }
            self.settings.targets.clone_from(&self.targets.list);
        }
        self.set_services(own);
    }

    pub(in crate::studio::engine) fn remove_service(&mut self, id: &str) {
        let mut own = self.services.own().to_vec();
        own.retain(|known| known.id != id);
        self.set_services(own);
    }

    fn set_services(&mut self, own: Vec<Service>) {
        self.services = ServiceList::with_own(own);
        self.file.services_changed = true;
        self.changed();
    }

    /// Saves the user's services after a change.
    pub(in crate::studio::engine) fn keep_services(&mut self) {
        let Some(path) = self.file.path.as_deref().map(services_beside) else { return };
        if !std::mem::take(&mut self.file.services_changed) {
            return;
        }
        if let Err(error) = write_services(&path, self.services.own()) {
            self.notices.tell(&StudioMessage::settings_not_saved(&error), "");
        }
    }

    pub(in crate::studio::engine) fn set_successor(&mut self, url: &str) {
        // The window has reported an invalid address.
        if let Ok(url) = check_successor(url) {
            self.settings.successor.clone_from(&url);
            self.built_in.set_successor(url);
            self.changed();
        }
    }
}
