package service

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/escape"
)

// chatName is the longest name of a caller or room, in characters.
const chatName = 24

// reservedNames would make a caller look like the server, or like one with rights.
var reservedNames = []string{
	"admin", "administrator", "everyone", "moderator", "nobody", "operator", "owner", "parley", "root", "server", "sysop", "system", "you",
}

// checkName says what is wrong with a name. It allows a letter, and then letters, digits, - and _ of one script: what a
// reader can tell apart, and what cannot pass for a part of the head of a line.
func checkName(name string) error {
	if name == "" {
		return errors.New("is empty")
	}
	if n := utf8.RuneCountInString(name); n > chatName {
		return fmt.Errorf("has %d characters, %d are allowed", n, chatName)
	}
	script := ""
	for i, r := range name {
		if escape.IsStray(name[i:], r) || !isNameRune(r) {
			return fmt.Errorf("contains %s; letters, digits, - and _ are allowed", nameRune(name[i:], r))
		}
		of := scriptOf(r)
		if i == 0 && of == "" {
			return errors.New("does not begin with a letter")
		}
		if script == "" {
			script = of
		}
		if of != "" && of != script {
			return fmt.Errorf("mixes letters of two scripts, %s and %s", script, of)
		}
	}
	return nil
}

// nameRune shows a character that is not allowed.
func nameRune(rest string, r rune) string {
	switch {
	case r == ' ':
		return "a space"
	case escape.IsStray(rest, r):
		return chatEscape(rest[:1])
	case unicode.IsGraphic(r) && !unicode.Is(unicode.M, r):
		return chatEscape(string(r))
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// isNameRune leaves out the invisible characters that Unicode counts as letters or marks, such as the Hangul fillers, and the
// second forms of letters, such as the wide ones.
func isNameRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return scriptOf(r) != "" || '0' <= r && r <= '9' || r == '-' || r == '_'
	case 0xFB00 <= r && r <= 0xFFFF:
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Mc) && scriptOf(r) != ""
}

// scriptOf returns the script of a letter, or of a mark that only one script has; "" for digits, accents, and letters of
// mathematics. The scripts of the Far East count as one, as they are written together.
func scriptOf(r rune) string {
	if r < utf8.RuneSelf {
		if 'a' <= r|0x20 && r|0x20 <= 'z' {
			return "Latin"
		}
		return ""
	}
	if r == 'ー' { // lengthens a vowel in Katakana
		return "Han"
	}
	for script, table := range unicode.Scripts {
		if !unicode.Is(table, r) {
			continue
		}
		switch script {
		case "Common", "Inherited":
			return ""
		case "Hiragana", "Katakana", "Hangul", "Bopomofo":
			return "Han"
		}
		return script
	}
	return ""
}

// foldName returns what names that differ in case only have in common.
func foldName(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// lookalikes are the letters and digits that are taken for a Latin letter, in lower case. The list is that of the ones a
// whole name can be made of; names that mix scripts are not allowed anyway.
var lookalikes = strings.NewReplacer(
	"0", "o", "1", "l", "i", "l",
	"а", "a", "в", "b", "с", "c", "ԁ", "d", "е", "e", "һ", "h", "н", "h", "і", "l", "ӏ", "l", "ј", "j", "к", "k", "м", "m", "о", "o",
	"р", "p", "ԛ", "q", "ѕ", "s", "т", "t", "ԝ", "w", "х", "x", "у", "y", "ү", "y",
	"α", "a", "β", "b", "ε", "e", "η", "h", "ι", "l", "κ", "k", "μ", "m", "ν", "v", "ο", "o", "ρ", "p", "τ", "t", "υ", "u", "χ", "x", "ζ", "z",
	"օ", "o", "ѵ", "v",
)

// lookalike returns what names that are easily taken for each other have in common.
func lookalike(name string) string { return lookalikes.Replace(foldName(name)) }

func guestName(id int64) string { return fmt.Sprintf("guest%d", id) }

// checkOwnName says what is wrong with a name for the caller of that number.
func checkOwnName(name string, id int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	key := lookalike(name)
	if strings.HasPrefix(key, lookalike("guest")) && name != guestName(id) {
		return errors.New("is a guest's; only the server gives such names")
	}
	if slices.ContainsFunc(reservedNames, func(r string) bool { return lookalike(r) == key }) {
		return errors.New("is reserved")
	}
	return nil
}
