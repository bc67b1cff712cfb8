//! Dialogs: the frame that all share, with Enter and Escape, errors, conflicts.

mod dkim;
mod external;
mod folders;
mod forms;
mod keys;
mod logins;
mod question;
mod route_test;
mod routes;
mod vacation;

use eframe::egui::{
    self, Align, Context, Frame, Id, Key, Layout, Margin, Modal, RichText, ScrollArea, TextEdit, Ui,
};
use egui_material_icons::icons::{ICON_CLOSE, ICON_CONTENT_COPY, ICON_ERROR, ICON_WARNING};

use super::Cx;
use crate::model::dialog::{Dialog, Edit};
use crate::model::{MESSAGE_SHOWN_MAX_BYTES, Message, MessageText};
use crate::theme::{self, size, space};
use crate::widgets::{Mood, Weight, banner, button, icon_button, strong};

/// How wide a dialog is, in points.
const WIDTH: f32 = 460.0;

pub(super) fn show(ctx: &Context, cx: &mut Cx<'_>) {
    match &cx.model.dialog {
        Some(Dialog::Edit(edit)) => edit_dialog(ctx, cx, edit),
        Some(Dialog::Ask(asked)) => question::show(ctx, cx, asked),
        Some(Dialog::Secret(secret)) => keys::secret(ctx, cx, secret),
        Some(Dialog::RouteTested(tested)) => route_test::answer(ctx, cx, tested),
        None if cx.model.message_text.is_some() => reader(ctx, cx),
        None => {}
    }
}

/// The frame of a dialog. True if it should be closed.
fn frame(ctx: &Context, id: &str, width: f32, draw: impl FnOnce(&mut Ui)) -> bool {
    let tokens = theme::current(ctx);
    let frame = Frame::window(&ctx.global_style())
        .inner_margin(Margin::same(space::XL as i8))
        .fill(tokens.surface);
    let backdrop = egui::Color32::from_black_alpha(if tokens.dark { 140 } else { 70 });
    let modal = Modal::new(Id::unique(("dialog", id)))
        .frame(frame)
        .backdrop_color(backdrop);
    let response = modal.show(ctx, |ui| {
        ui.set_width(width);
        draw(ui);
    });
    // A click beside the dialog does not close it: it would lose what was typed.
    response.is_top_modal && ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, Key::Escape))
}

fn title(ui: &mut Ui, text: &str) {
    ui.label(strong(text).size(size::TITLE));
    ui.add_space(space::XS);
}

fn edit_dialog(ctx: &Context, cx: &mut Cx<'_>, edit: &Edit) {
    let mut form = edit.form.clone();
    // Enter in a field of one line saves; in a field of several lines it begins a line. Asked before the fields are
    // drawn, which take the key.
    let entered = ctx.input(|input| input.key_pressed(Key::Enter)) && !typing_lines(ctx);
    let close = frame(ctx, "edit", WIDTH, |ui| {
        title(ui, &forms::title(cx, &form));
        problems(ui, cx, edit);
        let room = (ctx.content_rect().height() - 240.0).max(160.0);
        ScrollArea::vertical().max_height(room).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::M;
            ui.set_width(WIDTH - space::M);
            ui.add_enabled_ui(!edit.busy, |ui| forms::fields(ui, cx, &mut form, edit));
        });
        ui.add_space(space::M);
        foot(ui, cx, edit);
    });
    if form != edit.form {
        cx.send(Message::Edit(form));
    }
    if close {
        cx.send(if edit.leaving {
            Message::Stay
        } else {
            Message::Close
        });
    }
    if entered && !edit.leaving && !edit.conflict {
        cx.send(Message::Save);
    }
}

/// Whether the focus is in a field of several lines, which takes Enter itself.
fn typing_lines(ctx: &Context) -> bool {
    let Some(id) = ctx.memory(|memory| memory.focused()) else {
        return false;
    };
    ctx.memory(|memory| memory.data.get_temp::<bool>(id.with("lines")))
        .unwrap_or(false)
}

fn problems(ui: &mut Ui, cx: &mut Cx<'_>, edit: &Edit) {
    if edit.conflict {
        let (theirs, mine) = (cx.t.get("conflict-theirs"), cx.t.get("conflict-mine"));
        banner(ui, Mood::Warn, ICON_WARNING, &cx.t.get("conflict"), |ui| {
            ui.horizontal(|ui| {
                if button(ui, Weight::Plain, None, &theirs).clicked() {
                    cx.out.push(Message::TakeTheirs);
                }
                if button(ui, Weight::Danger, None, &mine).clicked() {
                    cx.out.push(Message::KeepMine);
                }
            });
        });
        ui.add_space(space::XS);
    }
    if let Some(problem) = &edit.problem {
        banner(ui, Mood::Bad, ICON_ERROR, &problem.words(&cx.t), |_| {});
        ui.add_space(space::XS);
    }
}

fn foot(ui: &mut Ui, cx: &mut Cx<'_>, edit: &Edit) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if edit.leaving {
            if button(ui, Weight::Danger, None, &cx.t.get("discard")).clicked() {
                cx.send(Message::Discard);
            }
            if button(ui, Weight::Plain, None, &cx.t.get("keep-editing")).clicked() {
                cx.send(Message::Stay);
            }
            ui.label(RichText::new(cx.t.get("discard-question")).color(cx.tokens.warn));
            return;
        }
        let ready = !edit.busy && !edit.conflict && cx.model.connected();
        ui.add_enabled_ui(ready, |ui| {
            let key = forms::save_key(&edit.form);
            if button(ui, Weight::Primary, None, &cx.t.get(key)).clicked() {
                cx.send(Message::Save);
            }
        });
        if button(ui, Weight::Plain, None, &cx.t.get("cancel")).clicked() {
            cx.send(Message::Close);
        }
        if edit.busy {
            ui.label(RichText::new(cx.t.get("status-saving")).color(cx.tokens.text_soft));
        }
    });
}

/// The text of a message of the queue.
fn reader(ctx: &Context, cx: &mut Cx<'_>) {
    let Some(MessageText { id, text, is_cut }) = &cx.model.message_text else {
        return;
    };
    let size = ctx.content_rect().size() * 0.8;
    let close = frame(ctx, "reader", size.x, |ui| {
        ui.horizontal(|ui| {
            ui.label(strong(cx.t.named("message-text", id)).size(theme::size::STRONG));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if icon_button(ui, ICON_CLOSE, &cx.t.get("close")).clicked() {
                    cx.send(Message::CloseMessage);
                }
                if icon_button(ui, ICON_CONTENT_COPY, &cx.t.get("copy")).clicked() {
                    cx.send(Message::Copy(text.clone()));
                }
            });
        });
        if *is_cut {
            let limit = cx.t.bytes(MESSAGE_SHOWN_MAX_BYTES as u64);
            let cut = cx.t.with("message-cut", &[("size", i18n::Arg::from(limit))]);
            ui.label(RichText::new(cut).color(cx.tokens.text_soft));
        }
        ScrollArea::both()
            .max_height(size.y - 110.0)
            .auto_shrink(false)
            .show(ui, |ui| {
                let mut shown = text.as_str();
                let response = ui.add(
                    TextEdit::multiline(&mut shown)
                        .code_editor()
                        .desired_width(f32::INFINITY)
                        .min_size(ui.available_size()),
                );
                let name = cx.t.get("queue-read");
                response
                    .widget_info(|| egui::WidgetInfo::labeled(egui::Role::MultilineTextInput, true, &name));
            });
    });
    if close {
        cx.send(Message::CloseMessage);
    }
}
