//! The tree at the left: every page, and the domains with theirs.

use eframe::egui::{self, Align2, CornerRadius, FontFamily, FontId, RichText, ScrollArea, Sense, Ui, Vec2};
use egui_material_icons::MaterialIcon;
use egui_material_icons::icons::{
    ICON_ALT_ROUTE, ICON_ALTERNATE_EMAIL, ICON_CHEVRON_RIGHT, ICON_DNS, ICON_DOMAIN, ICON_EXPAND_MORE,
    ICON_FOLDER, ICON_FOLDER_SHARED, ICON_GROUPS, ICON_INFO, ICON_LAN, ICON_MONITORING, ICON_MOVE_TO_INBOX,
    ICON_OUTBOX, ICON_PERSON, ICON_RECEIPT_LONG, ICON_ROCKET_LAUNCH, ICON_SETTINGS, ICON_SHIELD,
    ICON_STORAGE, ICON_VERIFIED,
};

use super::Cx;
use crate::model::{Message, Page, Status};
use crate::theme::{self, radius, size, space};
use crate::widgets::{Weight, button, cut, mark::mark, strong};

/// Domains in the tree; the page of the domains has them all.
const DOMAINS_MAX: u64 = 40;
const ROW_HEIGHT: f32 = 28.0;

struct Item<'a> {
    icon: MaterialIcon,
    text: &'a str,
    beside: String,
    page: Page,
    depth: f32,
    fold: Option<bool>,
}

pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    brand(ui, cx);
    ui.spacing_mut().item_spacing.y = 1.0;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let queue = cx.model.monitor.now.as_ref().map_or(0, |now| now.queue_messages);
        let waiting = if queue > 0 {
            cx.t.number(queue)
        } else {
            String::new()
        };
        plain(
            ui,
            cx,
            ICON_MONITORING,
            "page-monitor",
            Page::Monitor,
            String::new(),
        );
        plain(ui, cx, ICON_OUTBOX, "page-queue", Page::Queue, waiting);
        plain(ui, cx, ICON_RECEIPT_LONG, "page-log", Page::Log, String::new());
        section(ui, cx, "tree-directory");
        let domains = cx
            .model
            .tree
            .total()
            .map(|total| cx.t.number(total))
            .unwrap_or_default();
        plain(ui, cx, ICON_DNS, "page-domains", Page::Domains, domains);
        domains_of(ui, cx);
        plain(ui, cx, ICON_GROUPS, "page-groups", Page::Groups, String::new());
        plain(
            ui,
            cx,
            ICON_FOLDER_SHARED,
            "page-public",
            Page::Public,
            String::new(),
        );
        plain(
            ui,
            cx,
            ICON_MOVE_TO_INBOX,
            "page-external",
            Page::External,
            String::new(),
        );
        section(ui, cx, "tree-policy");
        plain(ui, cx, ICON_SHIELD, "page-access", Page::Access, String::new());
        plain(ui, cx, ICON_ALT_ROUTE, "page-routes", Page::Routes, String::new());
        section(ui, cx, "tree-server");
        plain(ui, cx, ICON_LAN, "page-services", Page::Services, String::new());
        let edited = cx.model.settings.dirty();
        let edited = if edited > 0 {
            cx.t.number(edited as u64)
        } else {
            String::new()
        };
        plain(ui, cx, ICON_SETTINGS, "page-settings", Page::Settings, edited);
        plain(
            ui,
            cx,
            ICON_VERIFIED,
            "page-certificates",
            Page::Certificates,
            String::new(),
        );
        plain(ui, cx, ICON_STORAGE, "page-storage", Page::Storage, String::new());
        plain(
            ui,
            cx,
            ICON_ROCKET_LAUNCH,
            "page-wizard",
            Page::Wizard,
            String::new(),
        );
        plain(ui, cx, ICON_INFO, "page-about", Page::About, String::new());
    });
}

fn brand(ui: &mut Ui, cx: &Cx<'_>) {
    ui.horizontal(|ui| {
        ui.add_space(space::XS);
        mark(ui, 30.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(strong(cx.t.get("product-name")).size(size::STRONG));
            let host = match &cx.model.status {
                Status::Connected(welcome) => welcome.hostname.clone(),
                _ => cx.model.target.clone(),
            };
            cut(
                ui,
                RichText::new(host).size(size::CAPTION).color(cx.tokens.text_soft),
            );
        });
    });
    ui.add_space(space::S);
}

fn section(ui: &mut Ui, cx: &Cx<'_>, key: &str) {
    ui.add_space(space::M);
    ui.horizontal(|ui| {
        ui.add_space(space::S);
        ui.label(
            strong(cx.t.get(key))
                .size(size::CAPTION)
                .color(cx.tokens.text_soft),
        );
    });
    ui.add_space(space::XXS);
}

fn plain(ui: &mut Ui, cx: &mut Cx<'_>, icon: MaterialIcon, key: &str, page: Page, beside: String) {
    let text = cx.t.get(key);
    item(
        ui,
        cx,
        Item {
            icon,
            text: &text,
            beside,
            page,
            depth: 0.0,
            fold: None,
        },
    );
}

fn domains_of(ui: &mut Ui, cx: &mut Cx<'_>) {
    let total = cx.model.tree.total().unwrap_or_default();
    let open = cx.model.page.domain().to_owned();
    let mut names: Vec<String> = (0..total.min(DOMAINS_MAX))
        .filter_map(|index| cx.model.tree.row(index).map(|row| row.domain.name.to_string()))
        .collect();
    if !open.is_empty() && !names.contains(&open) {
        names.insert(0, open);
    }
    for name in names {
        let unfolded = cx.model.unfolded.contains(&name);
        let page = Page::Users(name.clone());
        let shown = shared::DomainName::parse(&name).map_or(name.clone(), |domain| domain.unicode());
        let row = Item {
            icon: ICON_DOMAIN,
            text: &shown,
            beside: String::new(),
            page,
            depth: 1.0,
            fold: Some(unfolded),
        };
        item(ui, cx, row);
        if unfolded {
            for (icon, key, page) in [
                (ICON_PERSON, "page-users", Page::Users(name.clone())),
                (ICON_ALTERNATE_EMAIL, "page-aliases", Page::Aliases(name.clone())),
                (ICON_FOLDER, "page-folders", Page::Folders(name.clone())),
            ] {
                let text = cx.t.get(key);
                item(
                    ui,
                    cx,
                    Item {
                        icon,
                        text: &text,
                        beside: String::new(),
                        page,
                        depth: 2.0,
                        fold: None,
                    },
                );
            }
        }
    }
    if total > DOMAINS_MAX {
        let more = cx.t.count("tree-more-domains", total - DOMAINS_MAX);
        if button(ui, Weight::Quiet, None, &more).clicked() {
            cx.send(Message::Go(Page::Domains));
        }
    }
}

/// One row of the tree. A domain's row only folds; its pages are below it.
fn item(ui: &mut Ui, cx: &mut Cx<'_>, item: Item<'_>) {
    let tokens = cx.tokens;
    let selected = item.fold.is_none() && cx.model.page == item.page;
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW_HEIGHT), Sense::click());
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    let enabled = response.enabled();
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, enabled, selected, item.text));
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if selected {
        painter.rect_filled(rect, CornerRadius::same(radius::MEDIUM), tokens.accent_soft);
    } else if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, CornerRadius::same(radius::MEDIUM), tokens.hover);
    }
    let ink = if selected { tokens.accent } else { tokens.text };
    let soft = if selected { tokens.accent } else { tokens.text_soft };
    let icons = |points: f32, icon: MaterialIcon| FontId::new(points, icon.font_family());
    let mut x = rect.left() + space::S + item.depth * space::M;
    if let Some(unfolded) = item.fold {
        let chevron = if unfolded {
            ICON_EXPAND_MORE
        } else {
            ICON_CHEVRON_RIGHT
        };
        let font = icons(15.0, chevron);
        painter.text(
            egui::pos2(x - 13.0, rect.center().y),
            Align2::LEFT_CENTER,
            chevron.codepoint,
            font,
            tokens.text_faint,
        );
        x += space::XXS;
    }
    painter.text(
        egui::pos2(x, rect.center().y),
        Align2::LEFT_CENTER,
        item.icon.codepoint,
        icons(size::ICON, item.icon),
        soft,
    );
    x += size::ICON + space::S;
    let family = if selected {
        theme::strong()
    } else {
        FontFamily::Proportional
    };
    let end = if item.beside.is_empty() { 0.0 } else { 44.0 };
    let job = egui::text::LayoutJob {
        wrap: egui::text::TextWrapping::truncate_at_width(rect.right() - x - space::S - end),
        ..egui::text::LayoutJob::simple_singleline(item.text.to_owned(), FontId::new(size::BODY, family), ink)
    };
    let galley = painter.layout_job(job);
    painter.galley(
        egui::pos2(x, rect.center().y - galley.size().y / 2.0),
        galley,
        ink,
    );
    if !item.beside.is_empty() {
        let font = FontId::new(size::SMALL, FontFamily::Proportional);
        let at = egui::pos2(rect.right() - space::S, rect.center().y);
        painter.text(at, Align2::RIGHT_CENTER, &item.beside, font, soft);
    }
    if response.clicked() {
        cx.send(match item.fold {
            Some(_) => Message::Unfold(item.page.domain().to_owned()),
            None => Message::Go(item.page),
        });
    }
}
