//! The design tokens: every colour, distance, size and radius that the program draws with, as data.
//!
//! One accent; everything else is ink on paper. Semantic colours stand for states of the server only.

use eframe::egui::Color32;

/// Distances in points; nothing is placed at a distance that is not one of these.
pub mod space {
    pub const XXS: f32 = 2.0;
    pub const XS: f32 = 4.0;
    pub const S: f32 = 8.0;
    pub const M: f32 = 12.0;
    pub const L: f32 = 16.0;
    pub const XL: f32 = 24.0;
    pub const XXL: f32 = 40.0;
}

/// Text sizes in points.
pub mod size {
    pub const CAPTION: f32 = 11.0;
    pub const SMALL: f32 = 12.0;
    pub const BODY: f32 = 13.0;
    pub const STRONG: f32 = 14.0;
    pub const TITLE: f32 = 19.0;
    pub const FIGURE: f32 = 22.0;
    pub const ICON: f32 = 17.0;
}

/// Heights in points.
pub mod height {
    pub const ROW: f32 = 30.0;
    pub const HEADER: f32 = 30.0;
    pub const CONTROL: f32 = 30.0;
    pub const LOG_ROW: f32 = 22.0;
}

pub mod radius {
    pub const SMALL: u8 = 4;
    pub const MEDIUM: u8 = 6;
    pub const LARGE: u8 = 10;
}

/// The colours of one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub dark: bool,
    /// Behind everything.
    pub paper: Color32,
    /// Tables, cards and dialogs.
    pub surface: Color32,
    /// The tree.
    pub side: Color32,
    /// Fields that are typed into.
    pub field: Color32,
    pub zebra: Color32,
    pub hover: Color32,
    pub line: Color32,
    pub line_strong: Color32,
    pub text: Color32,
    pub text_soft: Color32,
    pub text_faint: Color32,
    pub accent: Color32,
    pub accent_hover: Color32,
    pub accent_soft: Color32,
    pub on_accent: Color32,
    pub good: Color32,
    pub good_soft: Color32,
    pub warn: Color32,
    pub warn_soft: Color32,
    pub bad: Color32,
    pub bad_soft: Color32,
    pub shadow: Color32,
    /// Lines of a plot, one per service.
    pub series: [Color32; 6],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

pub const LIGHT: Tokens = Tokens {
    dark: false,
    paper: rgb(0xF5_F6F7),
    surface: rgb(0xFF_FFFF),
    side: rgb(0xEC_EFF1),
    field: rgb(0xFF_FFFF),
    zebra: rgb(0xFA_FBFB),
    hover: rgb(0xF0_F4F5),
    line: rgb(0xE1_E5E8),
    line_strong: rgb(0xC6_CDD2),
    text: rgb(0x1B_2429),
    text_soft: rgb(0x56_646C),
    text_faint: rgb(0x8A_979E),
    accent: rgb(0x0B_6E76),
    accent_hover: rgb(0x09_5C63),
    accent_soft: rgb(0xDB_EEEF),
    on_accent: rgb(0xFF_FFFF),
    good: rgb(0x1B_7340),
    good_soft: rgb(0xE0_F3E7),
    warn: rgb(0x96_6100),
    warn_soft: rgb(0xFC_F0D6),
    bad: rgb(0xB8_2C2C),
    bad_soft: rgb(0xFB_E6E4),
    shadow: Color32::from_rgba_premultiplied(4, 6, 8, 36),
    series: [
        rgb(0x0B_6E76),
        rgb(0xC2_6A1B),
        rgb(0x6B_5BB5),
        rgb(0x3B_82C4),
        rgb(0xB2_3F77),
        rgb(0x6E_8B1F),
    ],
};

pub const DARK: Tokens = Tokens {
    dark: true,
    paper: rgb(0x12_171A),
    surface: rgb(0x1A_2125),
    side: rgb(0x15_1B1F),
    field: rgb(0x11_1619),
    zebra: rgb(0x1D_252A),
    hover: rgb(0x24_2D33),
    line: rgb(0x2A_343A),
    line_strong: rgb(0x41_4E56),
    text: rgb(0xE4_EAED),
    text_soft: rgb(0xA3_B1B9),
    text_faint: rgb(0x75_858E),
    accent: rgb(0x3A_B3BC),
    accent_hover: rgb(0x5B_C6CE),
    accent_soft: rgb(0x15_393D),
    on_accent: rgb(0x06_2124),
    good: rgb(0x58_C482),
    good_soft: rgb(0x17_3524),
    warn: rgb(0xE2_AD4B),
    warn_soft: rgb(0x3A_2D13),
    bad: rgb(0xF0_7F7A),
    bad_soft: rgb(0x41_1F1F),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 110),
    series: [
        rgb(0x3A_B3BC),
        rgb(0xE8_9A4E),
        rgb(0xA3_97E8),
        rgb(0x6F_B1EE),
        rgb(0xE0_7BAA),
        rgb(0xA9_C45C),
    ],
};

/// The tokens of the theme that is shown.
pub fn of(dark: bool) -> &'static Tokens {
    if dark { &DARK } else { &LIGHT }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance and contrast as WCAG 2.1 defines them.
    fn contrast(a: Color32, b: Color32) -> f64 {
        fn luminance(color: Color32) -> f64 {
            let part = |byte: u8| {
                let value = f64::from(byte) / 255.0;
                if value <= 0.03928 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
        }
        let (x, y) = (luminance(a), luminance(b));
        (x.max(y) + 0.05) / (x.min(y) + 0.05)
    }

    /// People with weak sight lose every text that is fainter than this.
    #[test]
    fn texts_can_be_read_on_their_grounds() {
        for tokens in [&LIGHT, &DARK] {
            for (name, ink, ground) in [
                ("text", tokens.text, tokens.surface),
                ("soft", tokens.text_soft, tokens.surface),
                ("soft on side", tokens.text_soft, tokens.side),
                ("soft on paper", tokens.text_soft, tokens.paper),
                ("accent", tokens.accent, tokens.surface),
                ("on accent", tokens.on_accent, tokens.accent),
                ("accent on soft", tokens.accent, tokens.accent_soft),
                ("good", tokens.good, tokens.good_soft),
                ("warn", tokens.warn, tokens.warn_soft),
                ("bad", tokens.bad, tokens.bad_soft),
            ] {
                let ratio = contrast(ink, ground);
                assert!(
                    ratio >= 4.5,
                    "{name} in {}: {ratio:.2}",
                    if tokens.dark { "dark" } else { "light" }
                );
            }
        }
    }
}
