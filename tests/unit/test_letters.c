/* Texts on their way into Salesforce: the alias of a name, languages, case and length in every
 * script; and the table of facts about the User fields. */
#include "schema/alias.h"
#include "schema/letters.h"
#include "schema/locale.h"
#include "schema/user_fields.h"
#include "tests/unit/mapping_json.h"

static void
an_alias_is_derived_from_any_name(void)
{
    static const char *const aliases[][2] = {
        { "{'name':{'givenName':'Jane','familyName':'Doe'}}", "jdoe" },
        { "{'name':{'givenName':'Ångela','familyName':'Müller-Lüdenscheidt'}}", "amullerl" },
        { "{'name':{'givenName':'Þór','familyName':'Ægir'}}", "taegir" },
        { "{'name':{'familyName':'Weiß'}}", "weiss" },
        { "{'name':{'givenName':'Nguyễn','familyName':'Văn Đức'}}", "nvanduc" },
        { "{'name':{'givenName':'İ','familyName':'O’Neil 2nd'}}", "ioneil2n" },
        { "{'name':{'givenName':'太郎','familyName':'山田'},'userName':'PRIMARY/T.Yamada@x.y'}",
          "tyamada" },
        { "{'name':{'givenName':'太郎','familyName':'山田'},'displayName':'Taro'}", "taro" },
        { "{'name':{'givenName':'太郎','familyName':'山田'}}", "太山田" },
        { "{'name':{'givenName':'Иван','familyName':'Достоевский'}}", "идостоев" },
        { "{'userName':'averylongname@x.y'}", "averylon" },
        { "{'name':{'givenName':'太郎','familyName':'𠮷𠮷𠮷𠮷𠮷'}}", "太𠮷𠮷𠮷" },
        { "{'name':'odd','userName':7}", NULL },
        { "{}", NULL },
    };

    for (size_t i = 0; i < COUNT(aliases); i++) {
        AUTO_JSON struct json_object *user = json(aliases[i][0]);
        const char *from;
        AUTO_FREE char *alias = alias_derive(value_like(user), &from);
        T_STR(alias, aliases[i][1]);
        T_TRUE(!alias || letters_units(alias) <= ALIAS_MAX_CHARACTERS);
    }
}

static void
language_tags_become_the_keys_that_salesforce_has(void)
{
    static const char *const tags[][3] = {
        /* tag, LocaleSidKey, LanguageLocaleKey */
        { "en-US", "en_US", "en_US" },
        { "en_US", "en_US", "en_US" },
        { "EN-us", "en_US", "en_US" },
        { "en-AU", "en_AU", "en_US" },
        { "de-DE", "de_DE", "de" },
        { "de_AT", "de_AT", "de_AT" },
        { "de-AT", "de_AT", "de" },
        { "fr", "fr", "fr" },
        { "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr_CH", "fr" },
        { "es-MX", "es_MX", "es_MX" },
        { "es-AR", "es_AR", "es" },
        { "pt-PT", "pt_PT", "pt_PT" },
        { "pt", "pt", "pt_BR" },
        { "nb-NO", "nb_NO", "no" },
        { "nl-BE", "nl_BE", "nl_NL" },
        { "zh-Hant-TW", "zh_Hant_TW", "zh_TW" },
        { "zh-hans-cn", "zh_Hans_CN", "zh_CN" },
        { "zh-HK", "zh_HK", "zh_TW" },
        { "he-IL", "he_IL", "iw" },
        { "de-DE-u-co-phonebk", "de_DE", "de" },
        { "de_DE_EURO", "de_DE_EURO", "de_DE_EURO" },
        { "xx-YY", "xx_YY", "xx_YY" },
        { " en ; q=1", "en", "en_US" },
        { "*", "", "" },
        { "", "", "" },
        { "-", "", "" },
    };

    for (size_t i = 0; i < COUNT(tags); i++) {
        AUTO_FREE char *locale = locale_key(tags[i][0]);
        AUTO_FREE char *language = language_key(tags[i][0]);
        T_STR(locale, tags[i][1]);
        T_STR(language, tags[i][2]);
    }
}

static void
letters_are_lowered_in_every_script_and_no_locale(void)
{
    static const char *const pairs[][2] = {
        { "INGRID ÅSE", "ingrid åse" },
        { "ΑΘΗΝΑ", "αθηνα" },
        { "МОСКВА", "москва" },
        { "ĄĆĘŁŃÓŚŹŻ", "ąćęłńóśźż" },
        { "ȘȚĂ", "șță" },
        { "ȺȾ", "ⱥⱦ" },
        { "Straße", "straße" },
        { "İ", "i" },
        { "Ꭰ", "ꭰ" },
        { "already lower ßąćęłńóśźżă", "already lower ßąćęłńóśźżă" },
        { "日本", "日本" },
        { "𐐀", "𐐨" },
        { "", "" },
    };

    for (size_t i = 0; i < COUNT(pairs); i++) {
        AUTO_FREE char *lower = letters_lower(pairs[i][0]);
        T_STR(lower, pairs[i][1]);
    }
}

static void
no_bytes_break_the_letters(void)
{
    char bytes[9];
    unsigned state = 1;

    for (int round = 0; round < 20000; round++) {
        AUTO_FREE char *lower = NULL;
        AUTO_FREE char *ascii = NULL;
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            state = state * 1103515245u + 12345u;
            bytes[i] = (char)(state >> 16 & 0xFF);
        }
        bytes[8] = '\0';
        lower = letters_lower(bytes);
        ascii = letters_ascii(bytes);
        if (!lower || !ascii || letters_units(bytes) > strlen(bytes)) {
            T_TRUE(false);
            return;
        }
        letters_cut(bytes, 4);
        letters_cut_units(bytes, 3);
        if (letters_units(bytes) > 3) {
            T_TRUE(false);
            return;
        }
    }
    T_TRUE(true);
}

static void
the_facts_of_user_fields_hold_together(void)
{
    const struct user_field *rows;
    size_t count;

    rows = user_field_all(&count);
    for (size_t i = 0; i < count; i++) {
        T_TRUE(user_field_find(rows[i].name) == &rows[i]);
        T_TRUE(!(rows[i].read_only && rows[i].ours));
        T_TRUE(!rows[i].ours || rows[i].instead);
        T_TRUE(!user_field_is_custom(rows[i].name));
    }
    T_INT(user_field_find("ALIAS")->max_characters, 8);
    T_TRUE(user_field_find("Nope") == NULL && user_field_find(NULL) == NULL);
    T_TRUE(user_field_is_custom("Host_Id__c") && user_field_is_custom("ns__Host_Id__c"));
    T_TRUE(!user_field_is_custom("__c") && !user_field_is_custom("1__c"));
    T_TRUE(!user_field_is_custom("Host Id__c") && !user_field_is_custom("Host__r"));
    T_TRUE(user_field_is_switch("UserPreferencesX") && !user_field_is_switch("UserPreferences"));
}

static void
texts_that_differ_in_case_only_are_the_same(void)
{
    T_TRUE(letters_same("Übersetzer ПРОДАЖИ", "übersetzer продажи"));
    T_TRUE(letters_same("", ""));
    T_TRUE(!letters_same("Sales", "Sales2"));
    T_TRUE(!letters_same("u", "ü"));
    T_TRUE(!letters_same("\xff", "\xfe"));
}

static const struct unit_case cases[] = {
    UNIT_CASE(an_alias_is_derived_from_any_name),
    UNIT_CASE(language_tags_become_the_keys_that_salesforce_has),
    UNIT_CASE(letters_are_lowered_in_every_script_and_no_locale),
    UNIT_CASE(no_bytes_break_the_letters),
    UNIT_CASE(texts_that_differ_in_case_only_are_the_same),
    UNIT_CASE(the_facts_of_user_fields_hold_together),
};

int
main(int argc, char **argv)
{
    return unit_run("letters", cases, COUNT(cases), argc, argv);
}
