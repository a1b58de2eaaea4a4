/* Models of ONNX by the library onnx: the table that libdarknet-meta-onnx.so exports. No exception
   leaves this file. */
#include "onnx_part.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

/* Of ONNX 1.5. Programs read all opsets up to their own, but of opset 11 OpenCV 4.6 refuses Clip,
   whose bounds have become inputs. */
enum { OPSET = 10, FILE_VERSION = 5 };

struct meta_onnx_model {
    onnx::ModelProto proto;
    onnx::NodeProto *last = nullptr;
    bool failed = false; /* there was no memory for all that was added */
};

/* Runs what adds to a model, unless something was lost already. */
template <typename Function> static void add(meta_onnx_model *m, Function function)
{
    if (m->failed) return;
    try {
        function();
    } catch (const std::exception &) {
        m->failed = true;
    }
}

static meta_onnx_model *create(const char *version, const char *description)
{
    std::unique_ptr<meta_onnx_model> m(new (std::nothrow) meta_onnx_model);
    if (!m) return nullptr;
    add(m.get(), [&] {
        m->proto.set_ir_version(FILE_VERSION);
        m->proto.set_producer_name("darknet-meta");
        m->proto.set_producer_version(version);
        m->proto.set_doc_string(description);
        m->proto.add_opset_import()->set_version(OPSET);
        m->proto.mutable_graph()->set_name("classifier");
    });
    return m.release();
}

static void destroy(meta_onnx_model *m) { delete m; }

static void note(meta_onnx_model *m, const char *key, const char *value)
{
    add(m, [&] {
        onnx::StringStringEntryProto *entry = m->proto.add_metadata_props();
        entry->set_key(key);
        entry->set_value(value);
    });
}

static void declare(meta_onnx_model *m, enum meta_onnx_role role, struct meta_onnx_tensor t)
{
    add(m, [&] {
        onnx::GraphProto *graph = m->proto.mutable_graph();
        onnx::ValueInfoProto *info = role == META_ONNX_INPUT ? graph->add_input()
            : role == META_ONNX_OUTPUT                       ? graph->add_output()
                                                             : graph->add_value_info();
        info->set_name(t.name);
        onnx::TypeProto_Tensor *type = info->mutable_type()->mutable_tensor_type();
        type->set_elem_type(onnx::TensorProto::FLOAT);
        for (int i = 0; i < t.count; i++) {
            auto *dimension = type->mutable_shape()->add_dim();
            if (t.dimensions[i] < 0) dimension->set_dim_param("batch");
            else dimension->set_dim_value(t.dimensions[i]);
        }
    });
}

static void reals(meta_onnx_model *m, struct meta_onnx_tensor t, const float *values)
{
    add(m, [&] {
        onnx::TensorProto *tensor = m->proto.mutable_graph()->add_initializer();
        size_t count = 1;
        tensor->set_name(t.name);
        tensor->set_data_type(onnx::TensorProto::FLOAT);
        for (int i = 0; i < t.count; i++) {
            tensor->add_dims(t.dimensions[i]);
            count *= static_cast<size_t>(t.dimensions[i]);
        }
        tensor->set_raw_data(values, count * sizeof *values);
    });
}

static void wholes(meta_onnx_model *m, const char *name, const int64_t *values, int count)
{
    add(m, [&] {
        onnx::TensorProto *tensor = m->proto.mutable_graph()->add_initializer();
        tensor->set_name(name);
        tensor->set_data_type(onnx::TensorProto::INT64);
        tensor->add_dims(count);
        for (int i = 0; i < count; i++) tensor->add_int64_data(values[i]);
    });
}

static void node(meta_onnx_model *m, const char *operation, const char *output)
{
    add(m, [&] {
        m->last = m->proto.mutable_graph()->add_node();
        m->last->set_op_type(operation);
        m->last->set_name(output);
        m->last->add_output(output);
    });
}

static void input(meta_onnx_model *m, const char *name)
{
    add(m, [&] { m->last->add_input(name); });
}

static onnx::AttributeProto *attribute(meta_onnx_model *m, const char *name,
                                       onnx::AttributeProto_AttributeType type)
{
    onnx::AttributeProto *a = m->last->add_attribute();
    a->set_name(name);
    a->set_type(type);
    return a;
}

static void ints(meta_onnx_model *m, const char *name, const int64_t *values, int count)
{
    add(m, [&] {
        onnx::AttributeProto *a = attribute(m, name, onnx::AttributeProto::INTS);
        for (int i = 0; i < count; i++) a->add_ints(values[i]);
    });
}

static void integer(meta_onnx_model *m, const char *name, int64_t value)
{
    add(m, [&] { attribute(m, name, onnx::AttributeProto::INT)->set_i(value); });
}

static void real(meta_onnx_model *m, const char *name, float value)
{
    add(m, [&] { attribute(m, name, onnx::AttributeProto::FLOAT)->set_f(value); });
}

/* Inference, too, compares what it finds with what is declared, and throws where they differ. */
static void check(const onnx::ModelProto &proto)
{
    onnx::checker::check_model(proto);
    onnx::ModelProto copy = proto;
    onnx::shape_inference::InferShapes(copy, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(true, 1));
}

static int finish(meta_onnx_model *m, char **bytes, size_t *size, struct meta_error *error)
try {
    *bytes = nullptr;
    if (m->failed) return meta_fail_memory(error);
    *size = m->proto.ByteSizeLong();
    if (*size > INT_MAX)
        return meta_fail(error, "%zu bytes: a file of ONNX holds at most %d", *size, INT_MAX);
    check(m->proto);
    *bytes = static_cast<char *>(std::malloc(*size + 1));
    if (!*bytes) return meta_fail_memory(error);
    if (m->proto.SerializeToArray(*bytes, static_cast<int>(*size))) return 0;
    std::free(*bytes);
    *bytes = nullptr;
    return meta_fail(error, "protobuf can't write the model");
} catch (const std::bad_alloc &) {
    return meta_fail_memory(error);
} catch (const std::exception &e) {
    std::string text = e.what();
    for (char &c : text)
        if (c == '\n') c = ' ';
    return meta_fail(error, "onnx's checker refuses it: %s", text.c_str());
}

const struct meta_onnx_part meta_onnx_part = { sizeof meta_onnx_part,
                                               create,
                                               destroy,
                                               note,
                                               declare,
                                               reals,
                                               wholes,
                                               node,
                                               input,
                                               ints,
                                               integer,
                                               real,
                                               finish };
