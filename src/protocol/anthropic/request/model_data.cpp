// The table of models, into the program as it is written. Compiled without link-time optimisation, which does not look
// into assembly.
asm(R"(
    .section .rodata
    .globl tollgate_claude_models
    .hidden tollgate_claude_models
tollgate_claude_models:
    .incbin "models.txt"
    .globl tollgate_claude_models_end
    .hidden tollgate_claude_models_end
tollgate_claude_models_end:
    .byte 0
    .text
)");
