//! The fields of the forms about folders and the rights on them.

use eframe::egui::{RichText, Ui};
use i18n::Arg;
use shared::Rights;

use super::forms::Drawn;
use crate::model::forms::{FolderForm, RightsForm, SPECIAL_USES, TreeForm, Whom};
use crate::model::is_public;
use crate::theme::{size, space};
use crate::widgets::field::{FIELD_WIDTH, choice, edit, line};

impl Drawn<'_, '_> {
    pub(super) fn tree(&self, ui: &mut Ui, form: &mut TreeForm) {
        if form.was.is_none() {
            self.row(ui, "name", "field-tree", "field-tree-help", |ui| {
                line(ui, "name", &mut form.name, "")
            });
        }
        let hint = self.get("unlimited");
        self.row(ui, "quota", "field-tree-quota", "field-quota-help", |ui| {
            edit(ui, "quota", &mut form.quota, &hint, 214.0, false)
        });
    }

    pub(super) fn folder(&self, ui: &mut Ui, form: &mut FolderForm) {
        self.row(ui, "name", "column-folder", "field-folder-help", |ui| {
            line(ui, "name", &mut form.name, "")
        });
        // Public folders serve nobody's mail program as drafts or trash.
        if form.was.is_none() && !is_public(&form.user) {
            let mut all = vec![(String::new(), self.get("special-none"))];
            all.extend(
                SPECIAL_USES.map(|special| (special.to_owned(), self.get(&format!("special-{special}")))),
            );
            self.row(ui, "special_use", "field-special-use", "", |ui| {
                let (response, chosen) = choice(ui, "special_use", &form.special_use, &all, 214.0);
                if let Some(chosen) = chosen {
                    form.special_use = chosen;
                }
                response
            });
        }
    }

    pub(super) fn rights(&self, ui: &mut Ui, form: &mut RightsForm) {
        ui.add_enabled_ui(!form.given, |ui| self.whom(ui, form));
        self.role(ui, form);
        self.letters(ui, &mut form.rights);
        if form.given && form.rights.is_empty() {
            let name = match form.whom {
                Whom::Anyone => self.get("rights-of-anyone"),
                _ => form.name.clone(),
            };
            let warning = self
                .cx
                .t
                .with("rights-none-left", &[("name", Arg::from(name.as_str()))]);
            ui.label(
                RichText::new(warning)
                    .size(size::SMALL)
                    .color(self.cx.tokens.warn),
            );
        }
    }

    fn whom(&self, ui: &mut Ui, form: &mut RightsForm) {
        let all = Whom::ALL.map(|whom| (whom, self.get(&format!("whom-{}", key(whom)))));
        ui.horizontal_top(|ui| {
            self.row(ui, "whom", "field-identifier", "", |ui| {
                let (response, chosen) = choice(ui, "whom", &form.whom, &all, 170.0);
                form.whom = chosen.unwrap_or(form.whom);
                response
            });
            if form.whom != Whom::Anyone {
                ui.add_space(space::XXS);
                let label = format!("field-whom-{}", key(form.whom));
                self.row(ui, "name", &label, "", |ui| {
                    edit(ui, "name", &mut form.name, "", 226.0, false)
                });
            }
        });
        ui.checkbox(&mut form.denied, self.get("field-denied-rights"));
    }

    /// The role of exactly these rights; another one sets its own.
    fn role(&self, ui: &mut Ui, form: &mut RightsForm) {
        let mut all: Vec<(Rights, String)> = Rights::ROLES
            .into_iter()
            .map(|(role, rights)| (rights, self.get(&format!("role-{role}-long"))))
            .collect();
        all.push((Rights::NONE, self.get("role-none")));
        if !all.iter().any(|(rights, _)| *rights == form.rights) {
            all.push((form.rights, self.get("role-own")));
        }
        self.row(ui, "rights", "field-role", "", |ui| {
            let (response, chosen) = choice(ui, "role", &form.rights, &all, FIELD_WIDTH - space::L);
            form.rights = chosen.unwrap_or(form.rights);
            response
        });
    }

    /// Each right by itself, with its letter.
    fn letters(&self, ui: &mut Ui, rights: &mut Rights) {
        ui.label(
            RichText::new(self.get("field-letters"))
                .size(size::SMALL)
                .color(self.cx.tokens.text_soft),
        );
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::XXS;
            for (letter, right) in Rights::LETTERS {
                let mut on = rights.contains(right);
                let text = self.get(&format!("right-{letter}"));
                if ui.checkbox(&mut on, format!("{text} ({letter})")).changed() {
                    *rights = if on {
                        rights.with(right)
                    } else {
                        rights.without(right)
                    };
                }
            }
        });
    }
}

fn key(whom: Whom) -> &'static str {
    match whom {
        Whom::User => "user",
        Whom::Group => "group",
        Whom::Domain => "domain",
        Whom::Anyone => "anyone",
    }
}
