/* SPDX-License-Identifier: MIT */
%token <int> INT
%token PLUS MINUS TIMES DIV LEFT RIGHT EOF
%left PLUS MINUS
%left TIMES DIV
%nonassoc UMINUS
%start main
%type <int> main
%%
main: expr EOF { $1 };
expr:
  | INT { $1 }
  | LEFT expr RIGHT { $2 }
  | expr PLUS expr { $1 + $3 }
  | expr MINUS expr { $1 - $3 }
  | expr TIMES expr { $1 * $3 }
  | expr DIV expr { $1 / $3 }
  | MINUS expr %prec UMINUS { - $2 }
;
