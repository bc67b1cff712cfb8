//! Starts the configurator: reads the command line, opens the window, starts the link.
#![cfg_attr(windows, windows_subsystem = "windows")]

use batpost_configurator::app::{App, Choices};
use batpost_configurator::args::Args;
use batpost_configurator::link::Link;
use batpost_configurator::widgets::mark;
use clap::Parser as _;
use eframe::{NativeOptions, Renderer, egui};
use i18n::Language;

fn main() -> eframe::Result {
    if let Some(folder) = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("i18n")))
    {
        for problem in i18n::load_overrides(&folder) {
            eprintln!("{problem}");
        }
    }
    let args = Args::parse();
    // OpenGL is lighter on Linux; Windows offers Direct3D where it has no OpenGL, as over remote desktop.
    let order = if cfg!(windows) {
        [Renderer::Wgpu, Renderer::Glow]
    } else {
        [Renderer::Glow, Renderer::Wgpu]
    };
    match open(&args, order[0]) {
        Err(error) if !matches!(error, eframe::Error::AppCreation(_)) => {
            eprintln!("{error}");
            open(&args, order[1])
        }
        outcome => outcome,
    }
}

fn open(args: &Args, renderer: Renderer) -> eframe::Result {
    let options = NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_app_id("batpost-configurator")
            .with_inner_size([1280.0, 820.0])
            .with_min_inner_size([900.0, 600.0])
            .with_icon(mark::icon()),
        renderer,
        ..NativeOptions::default()
    };
    let args = args.clone();
    eframe::run_native(
        "batpost-configurator",
        options,
        Box::new(move |cc| {
            let choices = Choices::load(cc.storage);
            let language = args
                .lang
                .or_else(|| choices.language())
                .unwrap_or_else(Language::of_environment);
            let target = args.target();
            let model = App::model(&target.name(), language, choices.theme());
            let ctx = cc.egui_ctx.clone();
            let link = Link::start(target, language, move || ctx.request_repaint())?;
            let clock = Box::new(|| jiff::Timestamp::now().as_second());
            Ok(Box::new(App::new(
                &cc.egui_ctx,
                model,
                Some(link),
                args.page.clone(),
                clock,
            )))
        }),
    )
}
