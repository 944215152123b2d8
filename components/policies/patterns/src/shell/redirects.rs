//! Redirections and process substitutions: what a command reads and writes.

use brush_parser::ast::{
    CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, ProcessSubstitutionKind, RedirectList,
};

use super::places::Place;
use super::walk::{Input, Walk};

impl Walk {
    pub(super) fn redirects(&mut self, redirects: Option<&RedirectList>) {
        redirects.iter().flat_map(|list| &list.0).for_each(|redirect| self.redirect(redirect));
    }

    pub(super) fn redirect(&mut self, redirect: &IoRedirect) {
        match redirect {
            IoRedirect::File(_, kind, IoFileRedirectTarget::Filename(word)) => {
                let reads = matches!(kind, IoFileRedirectKind::Read);
                for path in self.fields(&word.value, 0) {
                    match reads {
                        true => self.reads(&path),
                        false => {
                            self.writes(&path);
                            // Whoever runs it then runs what nobody has seen.
                            self.downloads.push(path);
                        }
                    }
                }
                if reads {
                    self.input = Input::Outside;
                }
            }
            IoRedirect::File(_, _, IoFileRedirectTarget::ProcessSubstitution(kind, subshell)) => {
                self.process(kind, &subshell.list);
                if matches!(kind, ProcessSubstitutionKind::Read) {
                    self.input = Input::Unknown;
                }
            }
            IoRedirect::File(_, _, IoFileRedirectTarget::Duplicate(word)) => {
                self.judge_within(&word.value);
                self.writes(&word.value);
            }
            IoRedirect::File(_, _, IoFileRedirectTarget::Fd(_)) => {}
            IoRedirect::HereDocument(_, document) => {
                if document.requires_expansion {
                    self.judge_within(&document.doc.value);
                }
                self.input = Input::Known(document.doc.value.clone());
            }
            IoRedirect::HereString(_, word) => self.input = Input::Known(self.text(&word.value, 0)),
            IoRedirect::OutputAndError(word, _) => {
                let path = self.text(&word.value, 0);
                self.writes(&path);
            }
        }
    }

    fn reads(&mut self, path: &str) {
        if Place::of(path, self.here.as_ref()).is_credential() {
            self.find("shell/credentials", path);
        }
        if self.downloads.iter().any(|file| file == path) {
            self.input = Input::Unknown;
        }
    }

    fn writes(&mut self, path: &str) {
        let place = Place::of(path, self.here.as_ref());
        match (place.is_device(), place.is_system()) {
            (true, _) => self.find("shell/disk", path),
            (_, true) => self.find("shell/system-write", path),
            _ => {}
        }
    }

    pub(super) fn process(&mut self, kind: &ProcessSubstitutionKind, list: &CompoundList) {
        let input = self.input.clone();
        self.input = match kind {
            ProcessSubstitutionKind::Read => Input::Outside,
            ProcessSubstitutionKind::Write => Input::Unknown,
        };
        self.list(list);
        self.input = input;
    }
}
