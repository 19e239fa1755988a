//! The Unicode properties that the rules ask for, and normalisation form C.

use std::borrow::Cow;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic,
        GeneralCategory, GeneralCategoryGroup, JoiningType, LineBreak, NoncharacterCodePoint,
        Script,
    },
};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

pub(super) fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

pub(super) fn is_letter(character: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(character))
}

pub(super) fn is_mark(character: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(character))
}

pub(super) fn script(character: char) -> Script {
    CodePointMapData::<Script>::new().get(character)
}

pub(super) fn joining_type(character: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(character)
}

/// A sign that takes the vowel from a consonant; what RFC 5892 calls a virama, too.
pub(super) fn is_virama(character: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(character)
        == CanonicalCombiningClass::Virama
}

/// Thai, Lao, Khmer, Burmese and their kin, which write no space between words.
pub(super) fn is_south_east_asian(character: char) -> bool {
    CodePointMapData::<LineBreak>::new().get(character) == LineBreak::ComplexContext
}

pub(super) fn is_pictograph(character: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(character)
}

pub(super) fn is_skin_tone(character: char) -> bool {
    CodePointSetData::new::<EmojiModifier>().contains(character)
}

pub(super) fn is_ignorable(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

pub(super) fn is_noncharacter(character: char) -> bool {
    CodePointSetData::new::<NoncharacterCodePoint>().contains(character)
}

/// The text in normalisation form C; borrowed if it already is.
pub(super) fn nfc(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(&text) { text } else { Cow::Owned(text.nfc().collect()) }
}
