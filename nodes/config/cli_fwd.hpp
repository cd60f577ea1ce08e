#pragma once

// CLI11 has no header with its names alone, and its own takes seconds to
// compile: headers name its types with this one, sources include its own.
namespace CLI {

class App;
class Config;
class Option;
class Validator;

} // namespace CLI
