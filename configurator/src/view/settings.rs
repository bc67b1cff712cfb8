//! The settings, made from their definitions: a group for each first word of a key, a field for each kind.

use eframe::egui::{self, Frame, Label, Margin, RichText, ScrollArea, Ui, Vec2};
use egui_material_icons::icons::{ICON_CLOUD_OFF, ICON_SAVE, ICON_SEARCH_OFF, ICON_UNDO, ICON_WARNING};
use i18n::{Arg, Language};
use shared::settings::{Kind, SETTINGS, Setting, Unit};

use super::{Cx, heading, not_yet};
use crate::model::Message;
use crate::model::amount::parse_bytes;
use crate::theme::{size, space};
use crate::widgets::{Mood, Weight, banner, button, card, empty, field, strong};

/// How wide the column of labels is, in points.
const LABEL_WIDTH: f32 = 380.0;

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let state = &cx.model.settings;
    let dirty = state.dirty();
    heading(ui, &cx.t.get("page-settings"), "", |ui| {
        ui.add_enabled_ui(dirty > 0 && state.errors.is_empty() && !state.busy, |ui| {
            if button(ui, Weight::Primary, Some(ICON_SAVE), &cx.t.get("save")).clicked() {
                cx.send(Message::SettingsSave);
            }
        });
        if dirty > 0 && button(ui, Weight::Plain, Some(ICON_UNDO), &cx.t.get("revert")).clicked() {
            cx.send(Message::SettingsRevert);
        }
        ui.add_space(space::S);
        if let Some(typed) = field::search(
            ui,
            &state.filter,
            &cx.t.get("search"),
            &cx.t.get("search-clear"),
            210.0,
        ) {
            cx.send(Message::SettingFilter(typed));
        }
        if dirty > 0 {
            ui.label(RichText::new(cx.t.count("settings-changed", dirty as u64)).color(cx.tokens.accent));
        }
    });
    if state.conflict {
        banner(
            ui,
            Mood::Warn,
            ICON_WARNING,
            &cx.t.get("settings-conflict"),
            |_| {},
        );
    }
    if !state.loaded {
        not_yet(ui, cx, ICON_CLOUD_OFF);
        return;
    }
    let shown: Vec<&Setting> = SETTINGS.iter().filter(|setting| matches(cx, setting)).collect();
    if shown.is_empty() {
        card(cx.tokens).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            empty(
                ui,
                ICON_SEARCH_OFF,
                &cx.t.get("nothing-found"),
                &cx.t.named("nothing-found-hint", &state.filter),
            );
        });
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for group in shown.chunk_by(|a, b| group(a) == group(b)) {
            card(cx.tokens)
                .inner_margin(Margin::symmetric(space::L as i8, space::M as i8))
                .show(ui, |ui| {
                    ui.set_min_width(ui.available_width());
                    let title = group
                        .first()
                        .map(|setting| self::group(setting))
                        .unwrap_or_default();
                    ui.label(strong(cx.t.get(&format!("settings-group-{title}"))).size(size::STRONG));
                    for setting in group {
                        ui.add_space(space::XS);
                        row(ui, cx, setting);
                    }
                });
        }
    });
}

fn group(setting: &Setting) -> &'static str {
    setting.key.split('.').next().unwrap_or_default()
}

fn label_key(setting: &Setting) -> String {
    format!("setting-{}", setting.key.replace('.', "-"))
}

fn matches(cx: &Cx<'_>, setting: &Setting) -> bool {
    let wanted = cx.model.settings.filter.to_lowercase();
    let label = label_key(setting);
    wanted.is_empty()
        || setting.key.contains(&wanted)
        || cx.t.get(&label).to_lowercase().contains(&wanted)
        || cx
            .t
            .get(&format!("{label}-help"))
            .to_lowercase()
            .contains(&wanted)
}

fn row(ui: &mut Ui, cx: &mut Cx<'_>, setting: &'static Setting) {
    let state = &cx.model.settings;
    let key = label_key(setting);
    let error = state
        .errors
        .get(setting.key)
        .map(|refusal| refusal_words(cx, refusal));
    ui.horizontal_top(|ui| {
        let width = LABEL_WIDTH.min(ui.available_width() * 0.5);
        let label = ui
            .allocate_ui(Vec2::new(width, 0.0), |ui| {
                ui.set_width(width);
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = space::XXS;
                    let mut name = RichText::new(cx.t.get(&key));
                    if state.edited(setting.key) {
                        name = name.color(cx.tokens.accent).family(crate::theme::strong());
                    }
                    let label = ui.add(Label::new(name).wrap());
                    let help = RichText::new(cx.t.get(&format!("{key}-help")))
                        .size(size::SMALL)
                        .color(cx.tokens.text_soft);
                    ui.add(Label::new(help).wrap());
                    label
                })
                .inner
            })
            .inner;
        ui.add_space(space::M);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            let _ = value(ui, cx, setting).labelled_by(label.id);
            if let Some(error) = error {
                ui.label(RichText::new(error).size(size::SMALL).color(cx.tokens.bad));
            } else if let Some(beside) = beside(cx, setting) {
                ui.label(
                    RichText::new(beside)
                        .size(size::SMALL)
                        .color(cx.tokens.text_faint),
                );
            }
        });
    });
    Frame::new().show(ui, |ui| ui.add_space(space::XXS));
}

/// A refusal of a setting names it by its label, not by its key.
fn refusal_words(cx: &Cx<'_>, refusal: &shared::Refusal) -> String {
    let mut refusal = refusal.clone();
    if let Some(setting) = refusal
        .args
        .get("setting")
        .and_then(|key| shared::settings::find(key))
    {
        refusal
            .args
            .insert("setting".to_owned(), cx.t.get(&label_key(setting)));
    }
    cx.t.refusal(&refusal)
}

fn value(ui: &mut Ui, cx: &mut Cx<'_>, setting: &'static Setting) -> egui::Response {
    let mut typed = cx.model.settings.text(setting);
    let was = typed.clone();
    let response = match setting.kind {
        Kind::Flag => {
            let mut on = typed == "true";
            let response = ui.checkbox(&mut on, "");
            typed = on.to_string();
            response
        }
        Kind::Language => {
            let all =
                Language::ALL.map(|language| (language.code().to_owned(), language.own_name().to_owned()));
            let (response, chosen) = field::choice(ui, setting.key, &was, &all, 160.0);
            typed = chosen.unwrap_or(typed);
            response
        }
        Kind::Choice(words) => {
            let all: Vec<_> = words
                .iter()
                .map(|word| ((*word).to_owned(), (*word).to_owned()))
                .collect();
            let (response, chosen) = field::choice(ui, setting.key, &was, &all, 160.0);
            typed = chosen.unwrap_or(typed);
            response
        }
        Kind::Text { .. } | Kind::Networks | Kind::Switches => {
            field::edit(ui, setting.key, &mut typed, setting.default, 300.0, false)
        }
        Kind::Number { .. } => field::edit(ui, setting.key, &mut typed, setting.default, 140.0, false),
    };
    if typed != was {
        cx.send(Message::Setting(setting.key, typed));
    }
    response
}

/// What a number means, and what it is if nobody sets it.
fn beside(cx: &Cx<'_>, setting: &Setting) -> Option<String> {
    let Kind::Number { unit, .. } = setting.kind else {
        return None;
    };
    let words = |number: u64| match unit {
        Unit::Bytes => cx.t.bytes(number),
        Unit::Seconds => cx.t.duration(number),
        Unit::Count => cx.t.number(number),
    };
    let typed = cx.model.settings.text(setting);
    let now = if unit == Unit::Bytes {
        parse_bytes(&typed)
    } else {
        typed.trim().parse().ok()
    }?;
    let default: u64 = setting.default.parse().ok()?;
    if now != default {
        return Some(cx.t.with(
            "setting-default",
            &[
                ("now", Arg::from(words(now))),
                ("default", Arg::from(words(default))),
            ],
        ));
    }
    (unit == Unit::Seconds).then(|| words(now))
}
