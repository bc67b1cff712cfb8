//! Certificates by which users log in, known by their fingerprints; and who a certificate is.

use drivers::{Batch, Filter, Row, Value, kinds};
use shared::model::{OwnerId, UserCertificate};
use shared::{Address, Refusal};

use super::{check_text, users};
use crate::cache::Known;
use crate::core::Core;
use crate::{ChangeError, Unavailable, records};

/// Certificates of one user.
const CERTIFICATES_MAX: u64 = 50;

pub(crate) async fn list(core: &Core, address: &Address) -> Result<Vec<UserCertificate>, ChangeError> {
    let user = users::known(core, address).await?;
    let rows = rows(core, user.owner).await?;
    Ok(rows.iter().map(records::user_certificate).collect())
}

/// `written`: the certificate in PEM, or its SHA-256 fingerprint. Gives the fingerprint.
pub(crate) async fn add(
    core: &Core,
    address: &Address,
    label: &str,
    written: &str,
    by: &str,
) -> Result<String, ChangeError> {
    check_text("label", label)?;
    let invalid = || Refusal::new("certificate-invalid").field("certificate");
    let fingerprint = tls::fingerprint_of(written).ok_or_else(invalid)?;
    let _changing = core.changing.lock().await;
    let user = users::known(core, address).await?;
    if rows(core, user.owner).await?.len() as u64 >= CERTIFICATES_MAX {
        let refusal = Refusal::new("too-many").with("field", "certificate");
        return Err(refusal.with("max", CERTIFICATES_MAX).field("certificate").into());
    }
    let row = Row::new(&kinds::USER_CERTIFICATE)
        .with("fingerprint", fingerprint.as_str())
        .with("owner", user.owner.0)
        .with("label", label.trim());
    core.write(Batch::new().insert(row), "user-certificate", &fingerprint)
        .await?;
    core.changed("user-certificate", &user.address.to_string(), "added", by);
    Ok(fingerprint)
}

pub(crate) async fn remove(
    core: &Core,
    address: &Address,
    written: &str,
    by: &str,
) -> Result<(), ChangeError> {
    let _changing = core.changing.lock().await;
    let user = users::known(core, address).await?;
    let fingerprint = tls::fingerprint_of(written).unwrap_or_else(|| written.trim().to_lowercase());
    let unknown = || Refusal::new("user-certificate-unknown").with("name", &fingerprint);
    let row = core.get(&kinds::USER_CERTIFICATE, &fingerprint).await?;
    if row.is_none_or(|row| row.count("owner") != Some(user.owner.0)) {
        return Err(unknown().into());
    }
    let batch = Batch::new().delete(&kinds::USER_CERTIFICATE, vec![fingerprint.as_str().into()], None);
    core.write(batch, "user-certificate", &fingerprint).await?;
    core.changed("user-certificate", &user.address.to_string(), "removed", by);
    Ok(())
}

/// The user at whom a fingerprint is registered.
pub(crate) async fn user_of(core: &Core, fingerprint: &str) -> Result<Option<Known>, Unavailable> {
    let Some(row) = core.get(&kinds::USER_CERTIFICATE, fingerprint).await? else {
        return Ok(None);
    };
    let owner = Value::from(row.count("owner").unwrap_or(0));
    let driver = core.driver(&kinds::USER);
    let found = driver
        .select(&kinds::USER, Filter::equal("owner", owner), 1)
        .await?;
    match found.first() {
        Some(row) => core.known(&records::user(row)?.address).await,
        None => Ok(None),
    }
}

async fn rows(core: &Core, owner: OwnerId) -> Result<Vec<Row>, Unavailable> {
    let driver = core.driver(&kinds::USER_CERTIFICATE);
    let filter = Filter::equal("owner", Value::from(owner.0));
    Ok(driver
        .select(&kinds::USER_CERTIFICATE, filter, CERTIFICATES_MAX)
        .await?)
}
