/* Decodes DICOM files by DCMTK: the table that libdarknet-meta-dicom.so exports for
   image_internal.h. No exception leaves this file. What DCMTK's dcm2pnm makes with its options
   --use-window 1, or --use-voi-lut 1, or --min-max-window, is what this makes, but where its
   rescaling to whole numbers would leave next to nothing of the picture. */
#include "image_internal.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#define HAVE_CONFIG_H
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dccodec.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmimage/diregist.h> /* colours */
#include <dcmtk/dcmimgle/dcmimage.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

/* Elements that are longer stay in the file's bytes until they are asked for. */
static const Uint32 in_memory = 1 << 12;

/* DCMTK writes what it has to say to standard error unless it is told not to. */
static void prepare()
{
    static const bool done = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DcmRLEDecoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
        return true;
    }();
    (void)done;
}

static int read_file(const struct meta_image_file *file, DcmFileFormat *format,
                     struct meta_error *error)
{
    DcmInputBufferStream stream;
    if (!dcmDataDict.isDictionaryLoaded())
        return meta_fail(error,
                         "DICOM: DCMTK has no data dictionary: the package libdcmtk17 brings it, "
                         "or DCMDICTPATH names it");
    stream.setBuffer(file->data, static_cast<offile_off_t>(file->size));
    stream.setEos();
    format->transferInit();
    OFCondition status = format->read(stream, EXS_Unknown, EGL_noChange, in_memory);
    format->transferEnd();
    if (status.good() || status == EC_EndOfStream) return 0;
    return meta_fail(error, "corrupt DICOM: %s", status.text());
}

/* Fails where a transfer syntax has no decoder here. */
static int check_syntax(E_TransferSyntax syntax, struct meta_error *error)
{
    const DcmXfer xfer(syntax);
    if (!xfer.isEncapsulated() || DcmCodecList::canChangeCoding(syntax, EXS_LittleEndianExplicit))
        return 0;
    const bool jp2 = syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000;
    return meta_fail(error, "DICOM in %s, which DCMTK does not decode%s", xfer.getXferName(),
                     jp2 ? ": gdcmconv --raw (Debian's libgdcm-tools) makes a file of it that is "
                           "read"
                         : "");
}

/* What a file says of its images. */
struct about {
    Uint16 w, h, samples, allocated;
    Sint32 frames;
};

static int check_header(DcmDataset *set, int frame, struct about *a, struct meta_error *error)
{
    *a = { 0, 0, 1, 0, 1 };
    if (!set->tagExistsWithValue(DCM_PixelData)) {
        OFString kind;
        set->findAndGetOFString(DCM_Modality, kind);
        return meta_fail(error, "DICOM without an image%s%.16s", kind.empty() ? "" : ": modality ",
                         kind.c_str());
    }
    if (set->findAndGetUint16(DCM_Columns, a->w).bad()
        || set->findAndGetUint16(DCM_Rows, a->h).bad()
        || set->findAndGetUint16(DCM_BitsAllocated, a->allocated).bad())
        return meta_fail(error, "corrupt DICOM: no size or bits of its pixels");
    set->findAndGetUint16(DCM_SamplesPerPixel, a->samples);
    if (set->findAndGetSint32(DCM_NumberOfFrames, a->frames).bad() || a->frames < 1) a->frames = 1;
    if (frame >= a->frames)
        return meta_image_no_frame(frame, static_cast<unsigned long>(a->frames), "frame", error);
    if (a->samples != 1 && a->samples != 3)
        return meta_fail(error, "DICOM of %u samples a pixel: must be 1 or 3", a->samples);
    if (a->allocated != 8 && a->allocated != 16)
        return meta_fail(error, "DICOM of %u bits a sample: must be 8 or 16", a->allocated);
    return meta_image_decoded_bounds(a->w, a->h, a->samples, 4, error);
}

/* DCMTK makes up what is missing of pixels that are not compressed. */
static int check_length(DcmDataset *set, E_TransferSyntax syntax, const struct about *a,
                        struct meta_error *error)
{
    DcmElement *pixels = nullptr;
    if (DcmXfer(syntax).isEncapsulated()) return 0;
    OFString colours;
    set->findAndGetOFString(DCM_PhotometricInterpretation, colours);
    unsigned long long need = a->w * static_cast<unsigned long long>(a->h) * a->samples
        * (a->allocated / 8) * static_cast<unsigned>(a->frames);
    if (colours == "YBR_FULL_422" || colours == "YBR_PARTIAL_422") need = need / 3 * 2;
    if (set->findAndGetElement(DCM_PixelData, pixels).good() && pixels->getLength() >= need)
        return 0;
    return meta_fail(error, "corrupt DICOM: %lu bytes of pixels, but its header says %llu",
                     pixels ? static_cast<unsigned long>(pixels->getLength()) : 0ul, need);
}

/* A window of gray values, which become bytes from 0 to 255 in it. width 0: there is none. */
struct window {
    double centre, width;
};

/* What turns stored values into those that windows are of. slope 0: a table does, or nothing. */
struct rescale {
    double slope, intercept;
};

static struct window window_of(DcmDataset *set)
{
    window w = { 0, 0 };
    if (set->findAndGetFloat64(DCM_WindowCenter, w.centre).good()
        && set->findAndGetFloat64(DCM_WindowWidth, w.width).good() && w.width > 0)
        return w;
    return window{ 0, 0 };
}

static struct rescale rescale_of(DcmDataset *set)
{
    rescale r = { 0, 0 };
    OFString function;
    set->findAndGetOFString(DCM_VOILUTFunction, function);
    if (set->tagExists(DCM_ModalityLUTSequence) || function == "SIGMOID"
        || set->findAndGetFloat64(DCM_RescaleSlope, r.slope).bad()
        || set->findAndGetFloat64(DCM_RescaleIntercept, r.intercept).bad())
        return rescale{ 0, 0 };
    return r;
}

/* Whether DCMTK, which rescales to whole numbers, leaves so few of them in what is shown that the
   picture is lost, as that of a map of diffusion or uptake, whose slope may be a thousandth. */
static bool loses_picture(DicomImage *image, const window &w, const rescale &r)
{
    const double few = 32;
    double least, most;
    if (!image->isMonochrome() || r.slope == 0 || !(r.slope < 1 && r.slope > -1)) return false;
    if (!w.width && image->getVoiLutCount()) return false;
    if (!image->getMinMaxValues(least, most)) return false;
    return most - least < few || (w.width && w.width < few);
}

/* Shows values as they are stored, by the window that has the same ends there: DICOM's window
   (PS3.3, C.11.2.1.2) goes from centre - .5 - (width - 1) / 2 on, over width - 1; one narrower
   than 1 is of values that are no whole numbers, and is taken as it is. */
static void show_stored(DicomImage *image, const window &w, const rescale &r)
{
    double size = r.slope < 0 ? -r.slope : r.slope, half = w.width < 1 ? 0 : .5;
    double width = w.width < 1 ? w.width / size : (w.width - 1) / size + 1;
    double centre = (w.centre - half - r.intercept) / r.slope + .5;
    image->hideAllOverlays();
    if (r.slope < 0) image->setPolarity(EPP_Reverse);
    if (!w.width || !(width >= 1) || !image->setWindow(centre, width)) image->setMinMaxWindow(0);
}

/* Gray values become bytes by the file's first window, its first table of values of interest, or
   the frame's least and greatest value, whichever is there and can be taken. */
static void show(DicomImage *image)
{
    if (!image->isMonochrome()) return;
    image->hideAllOverlays();
    if (image->getWindowCount() && image->setWindow(0)) return;
    if (image->getVoiLutCount() && image->setVoiLut(0)) return;
    image->setMinMaxWindow(0);
}

static int check_image(const DicomImage *image, struct meta_error *error)
{
    if (image->getStatus() == EIS_Normal) return 0;
    return meta_fail(error, "corrupt DICOM: %s", DicomImage::getString(image->getStatus()));
}

static int render(DicomImage *image, struct meta_image_raster *raster,
                  struct meta_image_header *header, struct meta_error *error)
{
    raster->channels = image->isMonochrome() ? 1 : 3;
    *header = meta_image_header();
    header->w = static_cast<int>(image->getWidth());
    header->h = static_cast<int>(image->getHeight());
    header->orientation = 1;
    size_t size = static_cast<size_t>(header->w) * header->h * raster->channels;
    if (image->getOutputDataSize(8) != size)
        return meta_fail(error, "corrupt DICOM: can't be decoded");
    if (!(raster->samples = std::malloc(size)))
        return meta_fail(error, "out of memory for %dx%d pixels", header->w, header->h);
    if (image->getOutputData(raster->samples, size, 8, 0, 0)) return 0;
    return meta_fail(error, "corrupt DICOM: can't be decoded");
}

static int decode_file(const struct meta_image_file *file, struct meta_image_raster *raster,
                       struct meta_image_header *header, struct meta_error *error)
{
    DcmFileFormat format;
    struct about about;
    prepare();
    if (read_file(file, &format, error)) return -1;
    DcmDataset *set = format.getDataset();
    E_TransferSyntax syntax = set->getOriginalXfer();
    if (check_header(set, file->frame, &about, error) || check_syntax(syntax, error)
        || check_length(set, syntax, &about, error))
        return -1;
    const unsigned long frame = static_cast<unsigned long>(file->frame);
    const window shown = window_of(set);
    const rescale rescaled = rescale_of(set);
    DicomImage image(set, syntax, CIF_UsePartialAccessToPixelData, frame, 1);
    if (check_image(&image, error)) return -1;
    if (!loses_picture(&image, shown, rescaled)) {
        show(&image);
        return render(&image, raster, header, error);
    }
    DicomImage stored(set, syntax,
                      CIF_UsePartialAccessToPixelData | CIF_IgnoreModalityTransformation, frame, 1);
    if (check_image(&stored, error)) return -1;
    show_stored(&stored, shown, rescaled);
    return render(&stored, raster, header, error);
}

static int decode(const struct meta_image_file *file, struct meta_image_raster *raster,
                  struct meta_image_header *header, struct meta_error *error)
{
    int status = -1;
    *raster = meta_image_raster();
    try {
        status = decode_file(file, raster, header, error);
    } catch (const std::bad_alloc &) {
        meta_fail_memory(error);
    } catch (const std::exception &) {
        meta_fail(error, "corrupt DICOM: can't be decoded");
    }
    if (!status) return 0;
    std::free(raster->samples);
    raster->samples = nullptr;
    return -1;
}

const struct meta_image_codecs meta_image_codecs = { sizeof meta_image_codecs, { decode } };
