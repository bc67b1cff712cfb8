//! SORT and THREAD (RFC 5256), ESORT (RFC 5267), and DISPLAY keys (RFC 5957).

use super::fetch::FetchItem;
use super::lexer::{Bad, Lexer, Parsed};
use super::search::{Charset, SearchKey, SearchReturn, returns, search_with_charset};

/// A key of SORT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Arrival,
    Cc,
    Date,
    From,
    Size,
    Subject,
    To,
    DisplayFrom,
    DisplayTo,
}

/// The arguments of SORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortArgs {
    pub returns: Option<SearchReturn>,
    /// As in [`super::SearchProgram`].
    pub update_items: Vec<FetchItem>,
    /// Keys in order, with whether each is reversed.
    pub keys: Vec<(SortKey, bool)>,
    pub charset: Charset,
    pub search: SearchKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadAlgorithm {
    OrderedSubject,
    References,
}

/// The arguments of THREAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadArgs {
    pub algorithm: ThreadAlgorithm,
    pub charset: Charset,
    pub search: SearchKey,
}

/// sort = "SORT" [return options] SP sort-criteria SP search-criteria
pub(super) fn sort(lexer: &mut Lexer<'_>) -> Parsed<SortArgs> {
    let (returns, update_items) = returns(lexer)?;
    lexer.sp()?;
    let keys = lexer.list(sort_key)?;
    lexer.sp()?;
    let (charset, search) = search_with_charset(lexer)?;
    Ok(SortArgs {
        returns,
        update_items,
        keys,
        charset,
        search,
    })
}

fn sort_key(lexer: &mut Lexer<'_>) -> Parsed<(SortKey, bool)> {
    let reverse = lexer.eat_word("REVERSE");
    if reverse {
        lexer.sp()?;
    }
    let key = match lexer.word()?.as_str() {
        "ARRIVAL" => SortKey::Arrival,
        "CC" => SortKey::Cc,
        "DATE" => SortKey::Date,
        "FROM" => SortKey::From,
        "SIZE" => SortKey::Size,
        "SUBJECT" => SortKey::Subject,
        "TO" => SortKey::To,
        "DISPLAYFROM" => SortKey::DisplayFrom,
        "DISPLAYTO" => SortKey::DisplayTo,
        _ => return Err(Bad("unknown sort key")),
    };
    Ok((key, reverse))
}

/// thread = "THREAD" SP thread-alg SP search-criteria
pub(super) fn thread(lexer: &mut Lexer<'_>) -> Parsed<ThreadArgs> {
    lexer.sp()?;
    let algorithm = match lexer.word()?.as_str() {
        "ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
        "REFERENCES" => ThreadAlgorithm::References,
        _ => return Err(Bad("unknown thread algorithm")),
    };
    lexer.sp()?;
    let (charset, search) = search_with_charset(lexer)?;
    Ok(ThreadArgs {
        algorithm,
        charset,
        search,
    })
}
