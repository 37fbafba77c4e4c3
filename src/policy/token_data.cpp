// The token counter's tables, into the program as the files that the build made of the published ranks. As arrays they
// would take the compiler a minute. Compiled without link-time optimisation, which does not look into assembly.
asm(R"(
    .section .rodata
    .balign 64
    .globl tollgate_token_tables_o200k_base
    .hidden tollgate_token_tables_o200k_base
tollgate_token_tables_o200k_base:
    .incbin "o200k_base.tables"
    .balign 64
    .globl tollgate_token_tables_cl100k_base
    .hidden tollgate_token_tables_cl100k_base
tollgate_token_tables_cl100k_base:
    .incbin "cl100k_base.tables"
    .balign 64
    .globl tollgate_unicode_classes
    .hidden tollgate_unicode_classes
tollgate_unicode_classes:
    .incbin "unicode_classes.tables"
    .text
)");
